/** Grants compiled for questions: exact names and tags by look-up, the few patterns by a scan. */
import type { Capability, GrantIndex, Principal } from '../types/access.ts';
import type { GrantSpec } from '../types/resources.ts';

export interface GrantRow {
  readonly id: string;
  readonly spec: GrantSpec;
}

interface Grant {
  readonly id: string;
  readonly use: boolean;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

/** The grants of one subject. */
interface SubjectGrants {
  /** By `model/gpt`, `mcp/files`, `mcp/files/read` or `model/#tag`. */
  readonly exact: Map<string, Grant[]>;
  /** By what stands before the `*`. */
  readonly prefixes: { readonly prefix: string; readonly grant: Grant }[];
}

function live(grant: Grant, action: 'view' | 'use', now: number): boolean {
  return (action === 'view' || grant.use) && grant.expiresAt > now;
}

function firstLive(grants: readonly Grant[] | undefined, action: 'view' | 'use', now: number): string | null {
  return grants?.find((grant) => live(grant, action, now))?.id ?? null;
}

function findFor(subject: SubjectGrants, action: 'view' | 'use', capability: Capability, now: number): string | null {
  const reference = `${capability.kind}/${capability.name}`;
  const exact = firstLive(subject.exact.get(reference), action, now);
  if (exact !== null) return exact;
  for (const tag of capability.tags) {
    const byTag = firstLive(subject.exact.get(`${capability.kind}/#${tag}`), action, now);
    if (byTag !== null) return byTag;
  }
  if (capability.kind === 'mcp') {
    const slash = capability.name.indexOf('/');
    // A grant on a server covers its tools.
    const byServer = slash === -1 ? null : firstLive(subject.exact.get(`mcp/${capability.name.slice(0, slash)}`), action, now);
    if (byServer !== null) return byServer;
  }
  for (const { prefix, grant } of subject.prefixes) {
    if (reference.startsWith(prefix) && live(grant, action, now)) return grant.id;
  }
  // A grant on one tool shows that its server exists, no more.
  if (capability.kind === 'mcp' && action === 'view' && !capability.name.includes('/')) {
    for (const [name, grants] of subject.exact) {
      if (!name.startsWith(`${reference}/`)) continue;
      const byTool = firstLive(grants, 'view', now);
      if (byTool !== null) return byTool;
    }
  }
  return null;
}

/** Rows of one tenant. */
export function compileGrants(rows: Iterable<GrantRow>): GrantIndex {
  const subjects = new Map<string, SubjectGrants>();
  for (const { id, spec } of rows) {
    const key = `${spec.subject_type}:${spec.subject}`;
    let subject = subjects.get(key);
    if (subject === undefined) subjects.set(key, (subject = { exact: new Map(), prefixes: [] }));
    const grant: Grant = { id, use: spec.action === 'use', expiresAt: spec.expires_at === null ? Infinity : Date.parse(spec.expires_at) };
    if (spec.capability.endsWith('*')) subject.prefixes.push({ prefix: spec.capability.slice(0, -1), grant });
    else {
      const grants = subject.exact.get(spec.capability);
      if (grants === undefined) subject.exact.set(spec.capability, [grant]);
      else grants.push(grant);
    }
  }
  const of = (type: GrantSpec['subject_type'], name: string): SubjectGrants | undefined => subjects.get(`${type}:${name}`);
  return {
    find(principal: Principal, action, capability, now) {
      if (subjects.size === 0) return null;
      const own = of('user', principal.subject);
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
