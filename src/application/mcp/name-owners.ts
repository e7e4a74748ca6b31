/**
 * Whose a name is that several servers use: settled by the age of their rows over all that they offer, before what is withheld, switched off
 * or disabled is left out. A name with two claimants is refused; it never leads to the other one.
 */
import { GatewayError } from '../../types/errors.ts';
import type { McpRow, McpServerEntry, TenantView } from '../../types/snapshot.ts';
import type { DefinitionKind, PinnedDefinition } from '../../types/tool-definitions.ts';
import type { CallServices } from '../services.ts';

type Definitions = Pick<CallServices, 'catalogue'>;

/** Every server of the tenant, oldest first, in use or not. */
export function mcpRowsOf(view: TenantView): readonly McpRow[] {
  return view.mcpRows ?? [...view.mcpServers.values()];
}

/** A server that offers something under a name; `server` is null for one that is not in use. */
export interface Claimant {
  readonly row: McpRow;
  readonly server: McpServerEntry | null;
}

/** The servers that offer a definition for which `matches`, oldest first, whether it is approved or not. */
export function claimantsOf(
  { catalogue }: Definitions,
  view: TenantView,
  kind: DefinitionKind,
  matches: (pin: PinnedDefinition, row: McpRow) => boolean,
): readonly Claimant[] {
  return mcpRowsOf(view)
    .filter((row) => catalogue.definitions(row.id).some((pin) => pin.kind === kind && pin.present && matches(pin, row)))
    .map((row) => ({ row, server: view.mcpServers.get(row.name) ?? null }));
}

/**
 * Throws `invalid_request` unless the name is that of `source` for this caller: no other claimant that they may see, and none that is older.
 * A server that is not in use counts as one that may be seen. `remedy` says what to ask for instead.
 */
export function requireOwner(
  source: Pick<McpRow, 'id'>,
  claimants: readonly Claimant[],
  maySee: (server: McpServerEntry) => boolean,
  { name, remedy }: { readonly name: string; readonly remedy: string },
): void {
  const others = claimants.filter(({ row }) => row.id !== source.id);
  const isOldest = claimants[0] === undefined || claimants[0].row.id === source.id;
  if (isOldest && !others.some(({ server }) => server === null || maySee(server))) return;
  throw new GatewayError('invalid_request', `Several servers have "${name.slice(0, 200)}"; ${remedy}.`);
}
