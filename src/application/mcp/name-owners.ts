/**
 * Determines which server owns a name that several servers use. The oldest row wins, over everything that the servers offer, including
 * items that are quarantined, switched off or disabled. A name with two claimants is refused and never resolved to the other one.
 */
import { GatewayError } from '../../types/errors.ts';
import type { McpRow, McpServerEntry, TenantView } from '../../types/snapshot.ts';
import type { DefinitionKind, PinnedDefinition } from '../../types/tool-definitions.ts';
import type { CallServices } from '../services.ts';

type Definitions = Pick<CallServices, 'catalogue'>;

/** Every server of the tenant, oldest first, enabled or not. */
export function mcpRowsOf(view: TenantView): readonly McpRow[] {
  return view.mcpRows ?? [...view.mcpServers.values()];
}

/** A server that offers an item under a name. `server` is null when it is not enabled. */
export interface Claimant {
  readonly row: McpRow;
  readonly server: McpServerEntry | null;
}

/** The servers that offer a definition for which `matches` is true, oldest first, approved or not. */
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

/** Throws `invalid_request` unless `source` owns the name for this caller: no other claimant is visible, and none is older. A disabled server counts as visible. `remedy` names what to use instead. */
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
