/** The decision about writes, without HTTP: the row itself, then each thing that it reaches. */
import { describe, expect, it } from 'vitest';
import { decideWrite } from '../../src/auth/decide-write.ts';
import type { Capability, GrantIndex, Principal } from '../../src/types/access.ts';
import { permissionCodes } from '../../src/types/access.ts';
import type { ConfigRow, ResourceKind } from '../../src/types/resources.ts';
import type { Reach, RowWrite } from '../../src/types/writes.ts';

const issuer = 'https://identity.example';
const now = 1_800_000_000_000;
const grants: GrantIndex = { find: () => null };

const principal = (role: string): Principal => ({
  subject: role,
  username: role,
  tenant: 'default',
  roles: [role],
  permissions: new Set(permissionCodes.filter((code) => role !== 'user' || !code.endsWith(':manage'))),
  client: null,
  issuer,
  credential: 'token',
  expiresAt: now + 60_000,
});

/** `owner`: the subject. */
const rowOf = (kind: ResourceKind, owner: string | null, name = 'thing', spec: object = {}): ConfigRow => ({
  id: name,
  tenant: 'default',
  kind,
  name,
  spec: { ...spec },
  enabled: true,
  owner: owner === null ? null : `${issuer}#${owner}`,
  revision: 1,
  createdAt: '',
  createdBy: '',
  updatedAt: '',
  updatedBy: '',
});

const thingOf = (row: ConfigRow): Capability => ({ kind: 'model', name: row.name, tenant: row.tenant, owner: row.owner, tags: [] });

function write(before: ConfigRow | null, after: ConfigRow | null, reaches: readonly Reach[] = [], left: readonly Reach[] = []): RowWrite {
  const row = (before ?? after) as ConfigRow;
  return { kind: row.kind, before, after, thing: thingOf(row), left, reaches };
}

const letter = (role: string, what: RowWrite): string => {
  const decision = decideWrite(principal(role), what, grants, now);
  return decision.allowed ? 'allowed' : `${decision.rule}${decision.param === undefined ? '' : ` ${decision.param}`}`;
};

describe('a write', () => {
  it('of a new row manages the writer’s own row, and cannot set another owner', () => {
    expect(letter('developer', write(null, rowOf('model', 'developer')))).toBe('allowed');
    expect(letter('developer', write(null, rowOf('model', 'another')))).toBe('reach owner');
    expect(letter('developer', write(null, rowOf('model', null)))).toBe('reach owner');
    expect(letter('admin', write(null, rowOf('model', 'another')))).toBe('allowed');
    for (const role of ['user', 'viewer']) expect(letter(role, write(null, rowOf('model', role)))).not.toBe('allowed');
  });

  it('of a stored row is decided by its current owner, not by the new one', () => {
    const another = rowOf('model', 'another');
    expect(letter('developer', write(another, rowOf('model', 'developer')))).toBe('owner');
    expect(letter('developer', write(another, null))).toBe('owner');
    const own = rowOf('model', 'developer');
    expect(letter('developer', write(own, another))).toBe('allowed');
    expect(letter('developer', write(own, rowOf('model', null)))).toBe('reach owner');
    expect(letter('developer', write(own, null))).toBe('allowed');
  });

  it('of a limit is for administrators', () => {
    expect(letter('developer', write(null, rowOf('limit', 'developer')))).toBe('reach name');
    expect(letter('admin', write(null, rowOf('limit', 'admin')))).toBe('allowed');
  });

  it('of a key is for its owner and for administrators', () => {
    const key = (subject: string, of = issuer) => rowOf('key', subject, 'k', { subject, issuer: of });
    expect(letter('user', write(null, key('user')))).toBe('allowed');
    expect(letter('user', write(null, key('another')))).toBe('owner');
    expect(letter('user', write(key('user', 'https://partner.example'), null))).toBe('owner');
    expect(letter('admin', write(key('user'), null))).toBe('allowed');
  });

  it.each(['program', 'tools-of-others', 'caller-identity'] as const)(
    'of a row that reaches a %s is for administrators, before and after',
    (type) => {
      const reach: Reach = { type, key: type, kind: 'x', param: 'spec.kind' };
      const own = rowOf('mcp', 'developer');
      expect(letter('developer', write(own, own, [reach]))).toBe('reach spec.kind');
      expect(letter('developer', write(own, own, [], [reach]))).toBe('reach spec.kind');
      expect(letter('admin', write(own, own, [reach]))).toBe('allowed');
    },
  );

  it('of a grant needs the right to manage the capability; patterns, tags and unknown names are for administrators', () => {
    const grant = rowOf('grant', null);
    const granted = (thing: Capability | null): Reach => ({
      type: 'granted',
      key: 'granted:model/x',
      capability: 'model/x',
      thing,
      param: 'spec.capability',
    });
    expect(letter('developer', write(null, grant, [granted(thingOf(rowOf('model', 'developer')))]))).toBe('allowed');
    expect(letter('developer', write(null, grant, [granted(thingOf(rowOf('model', 'another')))]))).toBe('reach spec.capability');
    expect(letter('developer', write(null, grant, [granted(null)]))).toBe('reach spec.capability');
    expect(letter('admin', write(null, grant, [granted(null)]))).toBe('allowed');
  });
});
