/** Parses the `capability` of a grant: one row, a part of one server, a pattern of names, or a tag. */
import type { ResourceKind } from '../types/resources.ts';

/** Kinds of rows that a grant can be about. */
export const grantableKinds = ['model', 'skill', 'mcp', 'provider'] as const satisfies readonly ResourceKind[];
export type GrantableKind = (typeof grantableKinds)[number];

export type GrantReference =
  /** `part` follows the name of a server, such as `read`, `prompt:x` or `read_*`; null for the row itself. */
  | { readonly type: 'thing'; readonly kind: GrantableKind; readonly name: string; readonly part: string | null }
  /** All names of the kind with this prefix. */
  | { readonly type: 'pattern'; readonly kind: GrantableKind; readonly prefix: string }
  | { readonly type: 'tag'; readonly kind: GrantableKind; readonly tag: string };

/** Null for a text without a known kind. */
export function readGrantReference(capability: string): GrantReference | null {
  const slash = capability.indexOf('/');
  const kind = grantableKinds.find((each) => each === capability.slice(0, slash));
  if (kind === undefined) return null;
  const rest = capability.slice(slash + 1);
  if (rest.startsWith('#')) return { type: 'tag', kind, tag: rest.slice(1) };
  // A server name contains no slash, so the first slash ends it.
  const end = kind === 'mcp' ? rest.indexOf('/') : -1;
  if (end !== -1) return { type: 'thing', kind, name: rest.slice(0, end), part: rest.slice(end + 1) };
  if (rest.endsWith('*')) return { type: 'pattern', kind, prefix: rest.slice(0, -1) };
  return { type: 'thing', kind, name: rest, part: null };
}
