/** Names and tags that administrators' grants, limits and rows use. Taking one would put a row within their reach; giving up a limit's tag would escape it. `<kind>/*` reserves nothing. */
import type { ConfigRow, ResourceKind } from '../types/resources.ts';
import type { Reach } from '../types/writes.ts';
import { readGrantReference } from './grant-reference.ts';
import { tagsOf } from './row-capability.ts';
import { namedKey, patternKey } from './row-references.ts';
import type { RowSet } from './row-set.ts';
import { isGranted, sharedRow } from './shared-rows.ts';
import { isVersion, skillOf } from './skill-versions.ts';

interface Reservation {
  readonly kind: 'grant' | 'limit';
  readonly by: string;
  readonly type: 'pattern' | 'tag';
  /** The prefix of names, or the tag. */
  readonly text: string;
}

function reservationsOf(kind: ResourceKind, tenant: string, rows: RowSet): readonly Reservation[] {
  return [...rows.referring(tenant, patternKey(kind))].flatMap(({ kind: from, name, spec }): Reservation[] => {
    const reference = readGrantReference(String(spec['capability']));
    if (reference === null || reference.type === 'thing' || (from !== 'grant' && from !== 'limit')) return [];
    const text = reference.type === 'tag' ? reference.tag : reference.prefix;
    return text === '' ? [] : [{ kind: from, by: `${from} "${name}"`, type: reference.type, text }];
  });
}

/** A row of administrators, or of another owner, that still refers to a deleted row. A published version belongs to its skill's owner. */
function namedByOthers({ kind, name, tenant, owner }: ConfigRow, rows: RowSet): Reach[] {
  const skills = rows.group('skill', tenant);
  const others = [...rows.referring(tenant, namedKey(kind, name))].filter((each) => each.kind === 'skill' || each.kind === kind);
  const ownerOf = (each: ConfigRow): string | null =>
    (each.kind === 'skill' && isVersion(each.name) ? skills.get(skillOf(each.name)) : each)?.owner ?? null;
  const other = others.find((each) => each.approvedTags != null || ownerOf(each) !== owner);
  return other === undefined
    ? []
    : [{ type: 'reserved', key: `reserved:${other.name}`, name: `The name "${name}"`, by: `${other.kind} "${other.name}"`, param: 'name' }];
}

/** Reserves the name of a granted shared row: a new row of the tenant would replace the shared row for its callers. */
function namedByShare({ kind, name, tenant }: ConfigRow, rows: RowSet): Reach[] {
  const shared = sharedRow(rows, tenant, kind, name);
  if (shared === undefined || !isGranted(rows, tenant, shared)) return [];
  const by = `tenant "${shared.tenant}", whose ${kind} of this name is granted here`;
  return [{ type: 'reserved', key: `reserved:${shared.id}`, name: `The name "${name}"`, by, param: 'name' }];
}

/** The reserved names and tags that a write takes or gives up. Unchanged ones are allowed. */
export function reservedReaches(kind: ResourceKind, before: ConfigRow | null, after: ConfigRow | null, rows: RowSet): readonly Reach[] {
  if (after === null || (kind === 'skill' && isVersion(after.name))) return [];
  const [had, has] = [before === null ? [] : tagsOf(before), tagsOf(after)];
  const isNamed = before?.name !== after.name;
  const added = has.filter((tag) => !had.includes(tag));
  const removed = had.filter((tag) => !has.includes(tag));
  if (!isNamed && added.length === 0 && removed.length === 0) return [];
  const named = before === null ? [...namedByShare(after, rows), ...namedByOthers(after, rows)] : [];
  if (named.length > 0) return named;
  return reservationsOf(kind, after.tenant, rows).flatMap(({ kind: from, by, type, text }): Reach[] => {
    if (type === 'pattern') {
      return isNamed && after.name.startsWith(text)
        ? [{ type: 'reserved', key: `reserved:${by}`, name: `A name that begins with "${text}"`, by, param: 'name' }]
        : [];
    }
    const isMoved = added.includes(text) || (from === 'limit' && removed.includes(text));
    return isMoved ? [{ type: 'reserved', key: `reserved:${by}`, name: `The tag "${text}"`, by, param: 'spec.tags' }] : [];
  });
}
