import { describe, expect, it } from 'vitest';
import { decide, holds, isAdministrator } from '../../src/auth/decide.ts';
import {
  type Action,
  actions,
  type Capability,
  capabilityKinds,
  type GrantIndex,
  type PermissionCode,
  permissionCodes,
  type Principal,
} from '../../src/types/access.ts';
import { type Relation, rows, table } from './truth-table.ts';

const now = 1_800_000_000_000;
const issuer = 'https://identity.example';
const codes = {
  all: permissionCodes,
  using: permissionCodes.filter((code) => !code.endsWith(':manage')),
  viewing: permissionCodes.filter((code) => code.endsWith(':view')),
};
const usual: Record<string, readonly PermissionCode[]> = {
  admin: codes.all,
  developer: codes.all,
  user: codes.using,
  viewer: codes.viewing,
};

function principal(held: readonly string[], permissions: readonly PermissionCode[]): Principal {
  return Object.freeze({
    subject: 'ulla',
    username: 'ulla',
    tenant: 'default',
    roles: held,
    permissions: new Set(permissions),
    client: null,
    issuer,
    credential: 'token' as const,
    expiresAt: now + 60_000,
  });
}

function capabilityIn(kind: Capability['kind'], relation: Relation): Capability {
  const owner = relation === 'own' ? `${issuer}#ulla` : `${issuer}#someone-else`;
  return { kind, name: relation, tenant: relation === 'other-tenant' ? 'other' : 'default', owner, tags: [] };
}

/** A use grant for everything named `granted`; use implies view. */
const grants: GrantIndex = { find: (_principal, _action, capability) => (capability.name === 'granted' ? 'g1' : null) };
const noGrants: GrantIndex = { find: () => null };

function letterOf(decision: ReturnType<typeof decide>): string {
  if (decision.allowed) return 'A';
  return decision.status === 403 ? 'D' : 'N';
}

describe('the truth table', () => {
  it('has a row for every role, kind, action and relation', () => {
    expect(rows.length).toBe(144);
    expect(Object.values(table).every((row) => /^[ADN]{4}$/.test(row))).toBe(true);
  });

  it.each(rows)('$role, $kind, $action, $relation', ({ role, kind, action, relation, expected }) => {
    const decision = decide(principal([role], usual[role]!), action, capabilityIn(kind, relation), grants, now);
    expect(letterOf(decision)).toBe(expected);
    expect(decision.reason).toMatch(/^[A-Z].+\.$/);
    expect(decision.rule).toMatch(/^(unknown|code|role|owner|grant(:.+)?)$/);
  });
});

describe('the decision', () => {
  const own = capabilityIn('model', 'own');
  const granted = capabilityIn('model', 'granted');
  const other = capabilityIn('model', 'other');
  const ask = (who: Principal, action: Action, what: Capability | null, index: GrantIndex = grants) =>
    decide(who, action, what, index, now);

  it('does not distinguish unknown rows from those of another tenant', () => {
    const admin = principal(['admin'], codes.all);
    expect(ask(admin, 'view', null)).toEqual(ask(admin, 'view', capabilityIn('model', 'other-tenant')));
    expect(ask(admin, 'view', null)).toMatchObject({ allowed: false, status: 404, rule: 'unknown' });
  });

  it('does not let a grant reach into another tenant', () => {
    const everything: GrantIndex = { find: () => 'g1' };
    expect(ask(principal(['user'], codes.using), 'use', capabilityIn('model', 'other-tenant'), everything)).toMatchObject({ status: 404 });
  });

  it('denies everything to those without codes or without a role', () => {
    for (const who of [principal(['admin'], []), principal([], codes.all), principal([], [])]) {
      for (const what of [own, granted, other]) {
        for (const action of actions) expect(ask(who, action, what)).toMatchObject({ allowed: false, status: 403 });
      }
    }
  });

  it('reports the missing role to people without a role', () => {
    for (const action of actions) expect(ask(principal([], codes.all), action, granted).reason).toContain('no role');
  });

  it('needs the code of exactly this kind and action', () => {
    for (const missing of permissionCodes) {
      const admin = principal(
        ['admin'],
        permissionCodes.filter((code) => code !== missing),
      );
      for (const kind of capabilityKinds) {
        for (const action of actions) {
          const decision = ask(admin, action, capabilityIn(kind, 'other'));
          expect(decision.allowed, `${kind} ${action} without ${missing}`).toBe(`llm:${kind}:${action}` !== missing);
          expect(decision.allowed || decision.reason.includes(missing)).toBe(true);
        }
      }
    }
  });

  it('counts ownership only with the code to manage', () => {
    expect(ask(principal(['user'], codes.all), 'use', own)).toMatchObject({ allowed: true, rule: 'owner' });
    expect(ask(principal(['user'], codes.using), 'use', own)).toMatchObject({ allowed: false, rule: 'grant' });
    expect(ask(principal(['user'], codes.all), 'use', { ...own, owner: null })).toMatchObject({ allowed: false });
    // The same subject of another issuer, and texts that resemble the person.
    for (const owner of [
      'https://partner.example#ulla',
      'ulla',
      `${issuer}ulla`,
      `${issuer}##ulla`,
      `${issuer}#ulla `,
      'https://identity.exampl#eulla',
    ])
      expect(ask(principal(['user'], codes.all), 'use', { ...own, owner }), owner).toMatchObject({ allowed: false });
  });

  it('lets an unknown role use what was granted, as a user', () => {
    const who = principal(['data-team'], codes.all);
    expect(ask(who, 'use', granted)).toMatchObject({ allowed: true, rule: 'grant:g1' });
    expect(ask(who, 'use', other)).toMatchObject({ allowed: false, rule: 'grant' });
  });

  it('adds up several roles', () => {
    const both = principal(['viewer', 'data-team'], codes.using);
    expect(ask(both, 'view', other)).toMatchObject({ allowed: true, rule: 'role' });
    expect(ask(both, 'use', granted)).toMatchObject({ allowed: true, rule: 'grant:g1' });
    expect(ask(both, 'use', other)).toMatchObject({ allowed: false });
    expect(ask(principal(['user', 'admin'], codes.all), 'manage', other)).toMatchObject({ allowed: true });
  });

  it('limits a viewer to viewing, whatever codes the service issues', () => {
    const viewer = principal(['viewer'], codes.all);
    expect(ask(viewer, 'view', other)).toMatchObject({ allowed: true });
    for (const action of ['use', 'manage'] as const) {
      for (const what of [own, granted, other])
        expect(ask(viewer, action, what)).toMatchObject({ allowed: false, status: 403, rule: 'role' });
    }
  });

  it('looks up grants with the given time, and only for actions that they can give', () => {
    const asked: unknown[] = [];
    const index: GrantIndex = {
      find(_who, action, _what, at) {
        asked.push([action, at]);
        return null;
      },
    };
    const user = principal(['user'], codes.all);
    ask(user, 'view', other, index);
    ask(user, 'manage', other, index);
    expect(asked).toEqual([['view', now]]);
  });

  it('names the remedy in every refusal', () => {
    const refusals = [
      ask(principal(['user'], []), 'use', other),
      ask(principal([], codes.all), 'use', other),
      ask(principal(['viewer'], codes.all), 'use', other),
      ask(principal(['developer'], codes.all), 'manage', other),
      ask(principal(['user'], codes.using), 'use', other, noGrants),
    ];
    expect(refusals.map(({ rule }) => rule)).toEqual(['code', 'role', 'role', 'owner', 'grant']);
    for (const { reason } of refusals) expect(reason).toMatch(/\bAsk\b/);
  });

  it('knows an administrator and a held code', () => {
    expect(isAdministrator(principal(['user', 'admin'], []))).toBe(true);
    expect(isAdministrator(principal(['administrator', 'ADMIN'], codes.all))).toBe(false);
    expect(holds(principal(['user'], codes.using), 'llm:model:use')).toBe(true);
    expect(holds(principal(['user'], codes.using), 'llm:model:manage')).toBe(false);
  });
});
