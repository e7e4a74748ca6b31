/** Grants compiled for lookup: grants on one thing by row and tags by map, patterns by scan. */
import type { Capability, GrantIndex, Principal } from '../types/access.ts';
import { readGrantReference } from './grant-reference.ts';
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
  readonly whole: Grant[];
  /** By a part of a server: `read`, `prompt:compose`. */
  readonly parts: Map<string, Grant[]>;
  readonly partPrefixes: PrefixGrant[];
}

/** The grants of one subject. */
interface SubjectGrants {
  readonly rows: Map<string, RowGrants>;
  /** By `model/#tag`. */
  readonly tags: Map<string, Grant[]>;
  /** By the text before the `*`, such as `model/gpt-`. */
  readonly prefixes: PrefixGrant[];
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

function push<K>(map: Map<K, Grant[]>, key: K, grant: Grant): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [grant]);
  else known.push(grant);
}

function addTo(subject: SubjectGrants, { spec, target }: GrantRow, grant: Grant): void {
  const reference = readGrantReference(spec.capability);
  if (reference?.type === 'pattern') subject.prefixes.push({ prefix: `${reference.kind}/${reference.prefix}`, grant });
  else if (reference?.type === 'tag') push(subject.tags, `${reference.kind}/#${reference.tag}`, grant);
  // An unbound grant gives nothing.
  if (reference?.type !== 'thing' || target === null) return;
  let row = subject.rows.get(target);
  if (row === undefined) subject.rows.set(target, (row = { whole: [], parts: new Map(), partPrefixes: [] }));
  const { part } = reference;
  if (part === null) row.whole.push(grant);
  else if (part.endsWith('*')) row.partPrefixes.push({ prefix: part.slice(0, -1), grant });
  else push(row.parts, part, grant);
}

/** Compiles the rows of one tenant. */
export function compileGrants(rows: Iterable<GrantRow>): GrantIndex {
  const subjects = new Map<string, SubjectGrants>();
  for (const each of rows) {
    const { id, spec } = each;
    const key = `${spec.subject_type}:${spec.subject}`;
    let subject = subjects.get(key);
    if (subject === undefined) subjects.set(key, (subject = { rows: new Map(), tags: new Map(), prefixes: [] }));
    const grant: Grant = { id, use: spec.action === 'use', expiresAt: spec.expires_at === null ? Infinity : Date.parse(spec.expires_at) };
    addTo(subject, each, grant);
  }
  const of = (type: GrantSpec['subject_type'], name: string): SubjectGrants | undefined => subjects.get(`${type}:${name}`);
  return {
    find(principal: Principal, action, capability, now) {
      if (subjects.size === 0) return null;
      const own = of('user', personRef(principal));
      const byUser = own === undefined ? null : findFor(own, action, capability, now);
      if (byUser !== null) return byUser;
      for (const role of principal.roles) {
        const held = of('role', role);
        const byRole = held === undefined ? null : findFor(held, action, capability, now);
        if (byRole !== null) return byRole;
      }
      const client = principal.client === null ? undefined : of('client', principal.client);
      return client === undefined ? null : findFor(client, action, capability, now);
    },
  };
}
