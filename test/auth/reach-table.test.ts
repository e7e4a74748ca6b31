/** The rows that decisions on writes add to the truth table: role, what the row reaches, and its relation to the writer. The page has the same table. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decideWrite } from '../../src/auth/decide-write.ts';
import { type Capability, type GrantIndex, permissionCodes, type Principal, type Role, roles } from '../../src/types/access.ts';
import { personRef } from '../../src/types/person.ts';
import type { ConfigRow } from '../../src/types/resources.ts';
import type { Reach } from '../../src/types/writes.ts';

const now = 1_800_000_000_000;
const relations = ['own', 'granted', 'kept', 'other'] as const;
type Relation = (typeof relations)[number];

/** A allowed, D denied: own, granted, kept by a right that the former row had, other. `-`: not applicable. */
const table: Readonly<Record<string, string>> = {
  'admin a provider': 'AAAA',
  'admin a model that the provider does not offer': 'AAAA',
  'admin a price': 'A-AA',
  'admin a private address': '--AA',
  'admin a program': '---A',
  'admin tools of others': '---A',
  'admin the identity of callers': '---A',
  'developer a provider': 'AAAD',
  'developer a model that the provider does not offer': 'ADAD',
  'developer a price': 'A-AD',
  'developer a private address': '--AD',
  'developer a program': '---D',
  'developer tools of others': '---D',
  'developer the identity of callers': '---D',
  'user a provider': 'DDDD',
  'user a model that the provider does not offer': 'DDDD',
  'user a price': 'D-DD',
  'user a private address': '--DD',
  'user a program': '---D',
  'user tools of others': '---D',
  'user the identity of callers': '---D',
  'viewer a provider': 'DDDD',
  'viewer a model that the provider does not offer': 'DDDD',
  'viewer a price': 'D-DD',
  'viewer a private address': '--DD',
  'viewer a program': '---D',
  'viewer tools of others': '---D',
  'viewer the identity of callers': '---D',
};

const things = [...new Set(Object.keys(table).map((key) => key.slice(key.indexOf(' ') + 1)))];
const rows = roles.flatMap((role) =>
  things.flatMap((thing) =>
    relations.flatMap((relation, at) => {
      const expected = table[`${role} ${thing}`]?.[at] ?? '';
      return expected === '-' ? [] : [{ role, thing, relation, expected }];
    }),
  ),
);

const usual = (role: Role) =>
  permissionCodes.filter(
    (code) => role === 'admin' || role === 'developer' || code.endsWith(':view') || (role === 'user' && code.endsWith(':use')),
  );

const principalOf = (role: Role): Principal => ({
  subject: 'eve',
  username: 'eve',
  tenant: 'default',
  roles: [role],
  permissions: new Set(usual(role)),
  client: null,
  issuer: 'https://identity.example',
  credential: 'token',
  expiresAt: now + 60_000,
});

function reachOf(thing: string, relation: Relation, me: string): Reach {
  const base = { key: thing, param: 'spec', ...(relation === 'kept' ? { kept: 'administrator' } : {}) };
  const provider: Capability = {
    kind: 'model',
    name: `#provider/${relation}`,
    tenant: 'default',
    owner: relation === 'own' ? me : 'another',
    tags: [],
  };
  switch (thing) {
    case 'a provider':
    case 'a model that the provider does not offer':
      return { ...base, type: 'provider', name: relation, model: 'm', thing: provider, offered: thing === 'a provider' };
    case 'a price':
      return { ...base, type: 'price', name: relation, thing: provider };
    case 'a private address':
      return { ...base, type: 'address', refusal: 'It is private.' };
    case 'a program':
      return { ...base, type: 'program', kind: 'stdio' };
    case 'tools of others':
      return { ...base, type: 'tools-of-others', kind: 'virtual' };
    default:
      return { ...base, type: 'caller-identity', kind: 'http' };
  }
}

const grants: GrantIndex = { find: (_who, _action, { name }) => (name === '#provider/granted' ? 'g1' : null) };

describe('the decision on a write', () => {
  it('has a row for every role and everything that a row can reach', () => {
    expect(Object.keys(table)).toHaveLength(roles.length * things.length);
  });

  it.each(rows)('$role, $thing, $relation', ({ role, thing, relation, expected }) => {
    const principal = principalOf(role);
    const me = personRef(principal);
    const row: ConfigRow = {
      id: 'r',
      tenant: 'default',
      kind: 'model',
      name: 'mine',
      spec: {},
      enabled: true,
      owner: me,
      revision: 1,
      createdAt: '',
      createdBy: '',
      updatedAt: '',
      updatedBy: '',
    };
    const capability: Capability = { kind: 'model', name: 'mine', tenant: 'default', owner: me, tags: [] };
    const write = { kind: 'model', before: row, after: row, thing: capability, left: [], reaches: [reachOf(thing, relation, me)] } as const;
    const decision = decideWrite(principal, write, grants, now);
    expect(decision.allowed ? 'A' : 'D').toBe(expected);
    expect(decision.reason).toMatch(/^[A-Z].+\.$/);
  });

  it('is the table of the page', async () => {
    const page = await readFile(join(import.meta.dirname, '../../docs/access.md'), 'utf8');
    const lines = Object.entries(table).map(([key, letters]) => {
      const mark = key.indexOf(' ');
      return `| \`${key.slice(0, mark)}\` | ${key.slice(mark + 1)} | ${letters.split('').join(' | ')} |`;
    });
    const wanted = ['| role | the row reaches | own | granted | kept | other |', '|---|---|---|---|---|---|', ...lines].join('\n');
    expect(page, `Put this table into docs/access.md:\n${wanted}\n`).toContain(wanted);
  });
});
