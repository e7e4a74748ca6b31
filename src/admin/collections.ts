/** The collections of the control API as one table: path, kind of row, permission codes. */
import type { CapabilityKind } from '../types/access.ts';
import type { ResourceKind } from '../types/resources.ts';

export interface Collection {
  /** The last part of `/api/<path>`. */
  readonly path: string;
  readonly kind: ResourceKind;
  /** The singular for messages. */
  readonly title: string;
  /** The kind whose permission codes apply; providers use those of models. */
  readonly rights: CapabilityKind;
  /** True when only administrators read and write them. */
  readonly administratorsOnly?: boolean;
}

export const collections: readonly Collection[] = [
  { path: 'providers', kind: 'provider', title: 'provider', rights: 'model' },
  { path: 'models', kind: 'model', title: 'model', rights: 'model' },
  { path: 'skills', kind: 'skill', title: 'skill', rights: 'skill' },
  { path: 'mcp-servers', kind: 'mcp', title: 'MCP server', rights: 'mcp' },
  { path: 'limits', kind: 'limit', title: 'limit', rights: 'model', administratorsOnly: true },
];
