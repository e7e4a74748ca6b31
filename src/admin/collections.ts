/** The collections of the control API, as one table: address, kind of row, and whose rights apply. */
import { isAdministrator } from '../auth/decide.ts';
import type { CapabilityKind, Principal } from '../types/access.ts';
import { isPerson } from '../types/person.ts';
import type { ResourceKind } from '../types/resources.ts';

export interface Collection {
  /** The last part of `/api/<path>`. */
  readonly path: string;
  readonly kind: ResourceKind;
  /** One of them, in words. */
  readonly title: string;
  /** Whose permission codes apply; a provider is part of the models' world. */
  readonly rights: CapabilityKind;
  /** Nobody else reads or writes them. */
  readonly administratorsOnly?: boolean;
}

export const collections: readonly Collection[] = [
  { path: 'providers', kind: 'provider', title: 'provider', rights: 'model' },
  { path: 'models', kind: 'model', title: 'model', rights: 'model' },
  { path: 'skills', kind: 'skill', title: 'skill', rights: 'skill' },
  { path: 'mcp-servers', kind: 'mcp', title: 'MCP server', rights: 'mcp' },
  { path: 'limits', kind: 'limit', title: 'limit', rights: 'model', administratorsOnly: true },
];

/** The owner of a new or changed row: the caller's own choice only for administrators. Undefined keeps what is there. */
export function chooseOwner(principal: Principal, wanted: string | null | undefined): string | null | undefined {
  if (wanted === undefined || isPerson(principal, wanted) || isAdministrator(principal)) return wanted;
  return undefined;
}
