/** The collections of the control API as one table: path, kind of row, permission codes. */
import { decideAccount, decideTeam } from '../auth/decide-team.ts';
import { type FindRow, teamOfAccount, teamOfRow } from '../config/team-accounts.ts';
import type { CapabilityKind, Decision, Principal } from '../types/access.ts';
import type { ConfigRow, ResourceKind } from '../types/resources.ts';

export interface Collection {
  /** The last part of `/api/<path>`. */
  readonly path: string;
  readonly kind: ResourceKind;
  /** The singular for messages. */
  readonly title: string;
  /** The kind whose permission codes apply; providers use those of models. */
  readonly rights: CapabilityKind;
  /** True when only administrators write them, and read them unless `mayRead` decides. */
  readonly administratorsOnly?: boolean;
  /** Decides who else reads a row. */
  readonly mayRead?: (principal: Principal, row: ConfigRow, find: FindRow) => Decision;
}

export const collections: readonly Collection[] = [
  { path: 'providers', kind: 'provider', title: 'provider', rights: 'model' },
  { path: 'models', kind: 'model', title: 'model', rights: 'model' },
  { path: 'skills', kind: 'skill', title: 'skill', rights: 'skill' },
  { path: 'mcp-servers', kind: 'mcp', title: 'MCP server', rights: 'mcp' },
  { path: 'limits', kind: 'limit', title: 'limit', rights: 'model', administratorsOnly: true },
  {
    path: 'teams',
    kind: 'team',
    title: 'team',
    rights: 'model',
    administratorsOnly: true,
    mayRead: (principal, row) => decideTeam(principal, 'view', teamOfRow(row)),
  },
  {
    path: 'service-accounts',
    kind: 'service',
    title: 'service account',
    rights: 'model',
    administratorsOnly: true,
    mayRead: (principal, row, find) => decideAccount(principal, 'view', teamOfAccount(row, find)),
  },
];
