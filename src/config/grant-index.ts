/** Grants compiled for lookup: grants on one row by map, on tags by map, patterns by scan. */
import type { Capability, GrantIndex, Principal } from '../types/access.ts';
import { readGrantReference } from './grant-reference.ts';
import { emptyMap, type PersistentMap } from './persistent-map.ts';
import { personRef } from '../types/person.ts';
import type { GrantSpec } from '../types/resources.ts';

export interface GrantRow {
  readonly id: string;
  readonly spec: GrantSpec;
  /** The id of the row that it is bound to; null for a pattern or a tag. */
  readonly target: string | null;
}

interface Grant {
  readonly id: string;
  readonly use: boolean;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

interface PrefixGrant {
  /** The text before the `*`. */
  readonly prefix: string;
  readonly grant: Grant;
}

/** The grants of one subject on one row. */
interface RowGrants {
  readonly whole: readonly Grant[];
  /** By a part of a server: `read`, `prompt:compose`. */
  readonly parts: ReadonlyMap<string, readonly Grant[]>;
  readonly partPrefixes: readonly PrefixGrant[];
}

/** The grants of one subject. */
interface SubjectGrants {
  readonly rows: PersistentMap<RowGrants>;
  /** By `model/#tag`. */
  readonly tags: PersistentMap<readonly Grant[]>;
  /** By the text before the `*`, such as `model/gpt-`. */
  readonly prefixes: readonly PrefixGrant[];
}

function live(grant: Grant, action: 'view' | 'use', now: number): boolean {
  return (action === 'view' || grant.use) && grant.expiresAt > now;
}

function firstLive(grants: readonly Grant[] | undefined, action: 'view' | 'use', now: number): string | null {
  return grants?.find((grant) => live(grant, action, now))?.id ?? null;
}

function findOnRow(row: RowGrants, part: string | null, action: 'view' | 'use', now: number): string | null {
  // A grant on a server covers its tools.
  const byWhole = firstLive(row.whole, action, now);
  if (byWhole !== null) return byWhole;
  if (part !== null) {
    const byPart = firstLive(row.parts.get(part), action, now);
    if (byPart !== null) return byPart;
    return row.partPrefixes.find(({ prefix, grant }) => part.startsWith(prefix) && live(grant, action, now))?.grant.id ?? null;
  }
  if (action === 'use') return null;
  // A grant on one tool shows only that its server exists.
  for (const grants of row.parts.values()) {
    const byTool = firstLive(grants, 'view', now);
    if (byTool !== null) return byTool;
  }
  return null;
}

function findFor(subject: SubjectGrants, action: 'view' | 'use', capability: Capability, now: number): string | null {
  const { kind, name, row: id, approvedTags } = capability;
  const row = id === undefined ? undefined : subject.rows.get(id);
  if (row !== undefined) {
    const slash = kind === 'mcp' ? name.indexOf('/') : -1;
    const byRow = findOnRow(row, slash === -1 ? null : name.slice(slash + 1), action, now);
    if (byRow !== null) return byRow;
  }
  // Patterns and tags reach only what an administrator approved under them.
  if (approvedTags === undefined) return null;
  for (const tag of approvedTags) {
    const byTag = firstLive(subject.tags.get(`${kind}/#${tag}`), action, now);
    if (byTag !== null) return byTag;
  }
  if (subject.prefixes.length === 0) return null;
  // A provider has no capability kind of its own: rows name it `#provider/<name>`.
  const reference = name.startsWith('#provider/') ? name.slice(1) : `${kind}/${name}`;
  for (const { prefix, grant } of subject.prefixes) {
    if (reference.startsWith(prefix) && live(grant, action, now)) return grant.id;
  }
  return null;
}

const without = <G extends { readonly id: string }>(grants: readonly G[], id: string): readonly G[] =>
  grants.filter((each) => each.id !== id);
const withoutPrefix = (grants: readonly PrefixGrant[], id: string): readonly PrefixGrant[] => grants.filter(({ grant }) => grant.id !== id);
const noGrants: RowGrants = { whole: [], parts: new Map(), partPrefixes: [] };
const noSubject: SubjectGrants = { rows: emptyMap(), tags: emptyMap(), prefixes: [] };

/** A team is known by its role. */
const subjectKey = ({ spec }: GrantRow): string => `${spec.subject_type === 'team' ? 'role' : spec.subject_type}:${spec.subject}`;

function compiled({ id, spec }: GrantRow): Grant {
  return { id, use: spec.action === 'use', expiresAt: spec.expires_at === null ? Infinity : Date.parse(spec.expires_at) };
}

/** The grants on one row without those of `removed` and with those of `added`; undefined when none is left. */
function changedRow(row: RowGrants, removed: readonly GrantRow[], added: readonly GrantRow[]): RowGrants | undefined {
  let { whole, partPrefixes } = row;
  const parts = new Map(row.parts);
  for (const { id } of removed) {
    whole = without(whole, id);
    partPrefixes = withoutPrefix(partPrefixes, id);
    for (const [part, grants] of parts) {
      const left = without(grants, id);
      if (left.length === 0) parts.delete(part);
      else parts.set(part, left);
    }
  }
  for (const each of added) {
    const reference = readGrantReference(each.spec.capability);
    const part = reference?.type === 'thing' ? reference.part : null;
    if (part === null) whole = [...whole, compiled(each)];
    else if (part.endsWith('*')) partPrefixes = [...partPrefixes, { prefix: part.slice(0, -1), grant: compiled(each) }];
    else parts.set(part, [...(parts.get(part) ?? []), compiled(each)]);
  }
  return whole.length + parts.size + partPrefixes.length === 0 ? undefined : { whole, parts, partPrefixes };
}

interface Change {
  readonly removed: GrantRow[];
  readonly added: GrantRow[];
}

function grouped(removed: readonly GrantRow[], added: readonly GrantRow[], keyOf: (row: GrantRow) => string): Map<string, Change> {
  const groups = new Map<string, Change>();
  const groupOf = (row: GrantRow): Change => {
    const key = keyOf(row);
    let group = groups.get(key);
    if (group === undefined) groups.set(key, (group = { removed: [], added: [] }));
    return group;
  };
  for (const row of removed) groupOf(row).removed.push(row);
  for (const row of added) groupOf(row).added.push(row);
  return groups;
}

/** `row <id>`, `tag <kind>/#<tag>`, `pattern`, or `none` for an unbound grant, which gives nothing. */
function placeOf({ spec, target }: GrantRow): string {
  const reference = readGrantReference(spec.capability);
  if (reference?.type === 'pattern') return 'pattern';
  if (reference?.type === 'tag') return `tag ${reference.kind}/#${reference.tag}`;
  return reference === null || target === null ? 'none' : `row ${target}`;
}

function changedSubject(subject: SubjectGrants, change: Change): SubjectGrants | undefined {
  const rows = new Map<string, RowGrants | undefined>();
  const tags = new Map<string, readonly Grant[] | undefined>();
  let { prefixes } = subject;
  for (const [place, { removed, added }] of grouped(change.removed, change.added, placeOf)) {
    const key = place.slice(place.indexOf(' ') + 1);
    if (place.startsWith('row ')) rows.set(key, changedRow(subject.rows.get(key) ?? noGrants, removed, added));
    else if (place.startsWith('tag ')) {
      const gone = new Set(removed.map(({ id }) => id));
      const left = [...(subject.tags.get(key) ?? []).filter(({ id }) => !gone.has(id)), ...added.map(compiled)];
      tags.set(key, left.length === 0 ? undefined : left);
    } else if (place === 'pattern') {
      for (const { id } of removed) prefixes = withoutPrefix(prefixes, id);
      prefixes = [...prefixes, ...added.map((each) => ({ prefix: prefixOf(each), grant: compiled(each) }))];
    }
  }
  const next = { rows: subject.rows.with(rows), tags: subject.tags.with(tags), prefixes };
  return next.rows.size + next.tags.size + prefixes.length === 0 ? undefined : next;
}

function prefixOf({ spec }: GrantRow): string {
  const reference = readGrantReference(spec.capability);
  return reference?.type === 'pattern' ? `${reference.kind}/${reference.prefix}` : '';
}

/** The grants of one tenant. Immutable; a change makes a new index that shares the subjects it does not touch. */
export class CompiledGrants implements GrantIndex {
  static readonly none = new CompiledGrants(emptyMap());
  readonly #subjects: PersistentMap<SubjectGrants>;

  private constructor(subjects: PersistentMap<SubjectGrants>) {
    this.#subjects = subjects;
  }

  /** Costs the number of changed grants. A removed row is given as it was added. */
  with(removed: readonly GrantRow[], added: readonly GrantRow[]): CompiledGrants {
    const changes = grouped(removed, added, subjectKey);
    return new CompiledGrants(
      this.#subjects.with(
        [...changes].map(([key, change]) => [key, changedSubject(this.#subjects.get(key) ?? noSubject, change)] as const),
      ),
    );
  }

  find(principal: Principal, action: 'view' | 'use', capability: Capability, now: number): string | null {
    const subjects = this.#subjects;
    if (subjects.size === 0) return null;
    // A service account of a team never reaches more than the team.
    const own = principal.team === undefined ? subjects.get(`user:${personRef(principal)}`) : undefined;
    const byUser = own === undefined ? null : findFor(own, action, capability, now);
    if (byUser !== null) return byUser;
    for (const role of principal.roles) {
      const held = subjects.get(`role:${role}`);
      const byRole = held === undefined ? null : findFor(held, action, capability, now);
      if (byRole !== null) return byRole;
    }
    const client = principal.client === null ? undefined : subjects.get(`client:${principal.client}`);
    return client === undefined ? null : findFor(client, action, capability, now);
  }
}

/** Compiles the rows of one tenant. */
export function compileGrants(rows: Iterable<GrantRow>): CompiledGrants {
  return CompiledGrants.none.with([], [...rows]);
}
