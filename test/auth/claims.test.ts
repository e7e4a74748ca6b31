import { describe, expect, it } from 'vitest';
import { type Claims, isServiceAccount, mapClaims } from '../../src/auth/claims.ts';
import type { ClaimMapping } from '../../src/auth/issuer.ts';
import { developmentIssuer, issuerPresets } from '../../src/auth/issuer-presets.ts';
import { issuersFromSettings } from '../../src/auth/issuers.ts';
import { permissionCodes } from '../../src/types/access.ts';

const fixed = { issuer: 'https://identity.example', expiresAt: 1_900_000_000_000 };
const preset = (name: string): ClaimMapping => issuerPresets[name]!.mapping;
const map = (token: Claims, mapping: ClaimMapping = preset('generic'), lookedUp: Claims | null = null) =>
  mapClaims({ token, lookedUp }, mapping, fixed);
const parsed = (text: string): Claims => JSON.parse(text) as Claims;

const codesOf = ({ permissions }: { permissions: ReadonlySet<string> }): string[] => [...permissions].toSorted();
/** Presets with a look-up for JWTs or opaque tokens; the look-up decides at the first path of a field. */
const nested = (path: string, value: unknown): Claims =>
  path
    .split('.')
    .toReversed()
    .reduce<unknown>((inner, name) => ({ [name]: inner }), value) as Claims;

describe('a look-up that returns a field', () => {
  it.each(Object.keys(issuerPresets))('replaces all claims of the token for roles, at whatever path, with the preset %s', (name) => {
    const { paths, ...mapping } = preset(name);
    const subject = nested(paths.subject[0] ?? 'sub', 'u');
    for (const old of paths.roles)
      for (const said of paths.roles)
        for (const roles of [['ROLE_viewer'], [], 'ROLE_viewer']) {
          const token = { ...subject, ...nested(old, ['ROLE_admin', 'ROLE_ADMIN', 'admin']) };
          const found = mapClaims({ token, lookedUp: { ...subject, ...nested(said, roles) } }, { ...mapping, paths }, fixed).roles;
          expect(found, `${old} in the token, ${said} looked up`).toEqual(roles.length === 0 ? [] : ['viewer']);
        }
  });

  it('replaces all claims of the token for codes', () => {
    const token = {
      sub: 'u',
      authorities: ['ROLE_developer', 'llm:mcp:manage'],
      scope: 'llm:model:manage',
      permissions: ['llm:skill:use'],
    };
    expect(codesOf(map(token, preset('sas'), { sub: 'u', permissions: ['llm:model:view'] }))).toEqual(['llm:model:view']);
    expect(codesOf(map(token, preset('sas'), { sub: 'u', permissions: [] }))).toEqual([]);
  });

  it('drops codes of the token together with the dropped role', () => {
    const token = { sub: 'u', authorities: ['ROLE_DEVELOPER', 'llm:model:manage', 'llm:model:use', 'llm:model:view'] };
    const demoted = (...roles: string[]) => map(token, preset('sas'), { sub: 'u', roles });
    expect(demoted('user')).toMatchObject({ roles: ['user'], permissions: new Set(['llm:model:use', 'llm:model:view']) });
    expect(codesOf(demoted('viewer'))).toEqual(['llm:model:view']);
    expect(codesOf(demoted('developer'))).toHaveLength(3);
    expect(codesOf(demoted('editor')), 'what a role of the company may is for the company to say').toHaveLength(3);
  });

  it('that returns no roles keeps those of the token', () => {
    expect(map({ sub: 'u', authorities: ['ROLE_user'] }, preset('sas'), { sub: 'u', name: 'Ulla' }).roles).toEqual(['user']);
  });
});

describe('a list of roles and codes', () => {
  it.each(['sas', 'generic', 'legacy-spring'])('yields roles and codes, and no code is a role, with the preset %s', (name) => {
    const authorities = ['ROLE_developer', 'llm:mcp:manage', 'system:user:list', 'SCOPE_openid', '*:*:*', 'sys_user_add'];
    for (const list of [authorities, authorities.join(','), authorities.join(' ')])
      expect(map({ sub: 'u', user_name: 'u', authorities: list }, preset(name)).roles, name).toEqual(['developer']);
    expect(map({ sub: 'u', user_name: 'u', authorities: ['llm:model:view', 'llm:model:use', 'SCOPE_x'] }, preset(name)).roles).toEqual([]);
    expect(map({ sub: 'u', user_name: 'u', authorities: ['user', 'finance', 'llm:model:use'] }, preset(name)).roles).toEqual([
      'user',
      'finance',
    ]);
  });

  it('drops a role that is mapped to a code, and keeps one that is mapped to a role', () => {
    const mapping = { ...preset('sas'), permissionMap: { 'ai-chat': 'llm:model:use' }, roleMap: { 'org:lead': 'developer' } };
    const principal = map({ sub: 'u', authorities: ['ai-chat', 'org:lead', 'team'] }, mapping);
    expect(principal).toMatchObject({ roles: ['developer', 'team'], permissions: new Set(['llm:model:use']) });
  });

  it('of roles alone contains none of the nine codes', () => {
    expect(map({ sub: 'u', roles: ['user', 'llm:model:manage'] }, preset('sas')).roles).toEqual(['user']);
    expect(map({ sub: 'u', realm_access: { roles: ['viewer', 'llm:model:manage', 'app:x'] } }, preset('keycloak')).roles).toEqual([
      'viewer',
    ]);
  });
});

describe('a service account of Keycloak', () => {
  const token = {
    sub: '6d1f7a3e-6f0e-4f0c-9c61-0a9a6f5f3c11',
    azp: 'CI-Bot',
    client_id: 'CI-Bot',
    preferred_username: 'service-account-ci-bot',
    realm_access: { roles: ['default-roles-team', 'offline_access', 'uma_authorization'] },
  };

  it('is named by its client, and has the role service and the codes to use its grants', () => {
    const principal = map(token, preset('keycloak'));
    expect(principal).toMatchObject({ roles: ['service'], client: 'CI-Bot' });
    expect(codesOf(principal)).toEqual(permissionCodes.filter((code) => !code.endsWith(':manage')).toSorted());
    const { client_id: _id, ...older } = token;
    expect(map({ ...older, clientId: 'CI-Bot' }, preset('keycloak')).roles, 'as older versions name it').toEqual(['service']);
    expect(map(older, preset('keycloak')).roles, 'without the scope service_account').toEqual(['service']);
    expect(map({ ...token, realm_access: { roles: ['developer'] } }, preset('keycloak')).roles, 'a role that it was given counts').toEqual([
      'developer',
    ]);
  });

  it('is not a person with such a name, nor a person whose token names the client once', () => {
    const { client_id: _id, ...service } = token;
    const person = { ...service, sid: 'a-session' };
    expect(map(person, preset('keycloak')).roles).toEqual([]);
    expect(map({ ...token, preferred_username: 'ulla' }, preset('keycloak')).roles).toEqual([]);
    expect(map({ ...token, client_id: 'other' }, preset('keycloak')).roles).toEqual([]);
    expect(isServiceAccount(token, preset('generic')), 'another service has other customs').toBe(false);
  });
});

describe('the mapping of claims', () => {
  it('makes a frozen principal', () => {
    const claims = { sub: 'u1', preferred_username: 'ulla', tenant_id: 't1', roles: ['user'], scope: 'llm:model:use openid', azp: 'web' };
    const principal = map(claims);
    expect(principal).toEqual({
      subject: 'u1',
      username: 'ulla',
      tenant: 't1',
      roles: ['user'],
      permissions: new Set(['llm:model:use']),
      client: 'web',
      issuer: fixed.issuer,
      credential: 'token',
      expiresAt: fixed.expiresAt,
    });
    expect(Object.isFrozen(principal) && Object.isFrozen(principal.roles)).toBe(true);
  });

  it('reads lists as arrays, with spaces, with commas, and numbers', () => {
    for (const roles of [['user', 'team'], 'user team', 'user,team', 'user, team', ' user\tteam ']) {
      expect(map({ sub: 'u', roles }).roles, JSON.stringify(roles)).toEqual(['user', 'team']);
    }
    expect(map({ sub: 'u', roles: [7, 'x', null, { name: 'admin' }, ['admin'], ''] }).roles).toEqual(['7', 'x']);
    expect(map({ sub: 7 }).subject).toBe('7');
  });

  it('joins the lists of all paths and takes the first word', () => {
    const scope = ['llm:skill:use'];
    const principal = map({
      sub: 'u',
      permissions: 'llm:model:use',
      authorities: 'ROLE_user,llm:mcp:use',
      scope,
      username: 'b',
      name: 'c',
    });
    expect([...principal.permissions].toSorted()).toEqual(['llm:mcp:use', 'llm:model:use', 'llm:skill:use']);
    expect(principal.username).toBe('b');
  });

  it('removes the prefix, maps names and ids, and removes duplicates', () => {
    const mapping = { ...preset('generic'), roleMap: { ...preset('generic').roleMap, '17': 'developer', ROLE_BOSS: 'admin' } };
    expect(map({ sub: 'u', roles: ['ROLE_ADMIN', 'admin', 17, 'ROLE_BOSS', 'ROLE_team'] }, mapping).roles).toEqual([
      'admin',
      'developer',
      'team',
    ]);
  });

  it('gives the tenant of the mapping where the token names none', () => {
    expect(map({ sub: 'u' }).tenant).toBe('default');
    expect(map({ sub: 'u' }, { ...preset('generic'), defaultTenant: 'acme' }).tenant).toBe('acme');
    expect(map({ sub: 'u', tenant_id: { $ne: '' } }).tenant).toBe('default');
  });

  it('follows own properties only', () => {
    const evil = parsed(
      '{"sub":"u","__proto__":{"roles":["admin"],"permissions":["llm:model:manage"]},"constructor":{"prototype":{"roles":["admin"]}}}',
    );
    expect(map(evil)).toMatchObject({ roles: [], permissions: new Set() });
    const inherited = Object.create({ roles: ['admin'] }) as Record<string, unknown>;
    inherited['sub'] = 'u';
    expect(map(inherited).roles).toEqual([]);
    const paths = { ...preset('generic').paths, roles: ['__proto__.constructor.name', 'constructor.name', 'toString.name', 'length'] };
    expect(map({ sub: 'u' }, { ...preset('generic'), paths }).roles).toEqual([]);
    for (const role of ['__proto__', 'constructor', 'toString']) {
      const principal = map({ sub: 'u', roles: [role] }, { ...preset('generic'), permissionSource: 'role_defaults' });
      expect(principal).toMatchObject({ roles: [role], permissions: new Set() });
    }
    expect(({} as Record<string, unknown>)['roles']).toBeUndefined();
  });

  it('reads a key that has a dot in it', () => {
    const mapping = { ...preset('generic'), paths: { ...preset('generic').paths, roles: ['https://acme\\.example/claims.roles'] } };
    expect(map({ sub: 'u', 'https://acme.example/claims': { roles: ['user'] } }, mapping).roles).toEqual(['user']);
  });

  it('reads * as every value of its segment, only as a whole segment and only where the mapping has it', () => {
    const held = (scope: string, wildcards = true) => [...map({ sub: 'u', scope }, { ...preset('generic'), wildcards }).permissions];
    expect(held('*:*:*')).toEqual(permissionCodes);
    expect(held('llm:model:*')).toEqual(['llm:model:view', 'llm:model:use', 'llm:model:manage']);
    expect(held('llm:*:view')).toEqual(['llm:model:view', 'llm:skill:view', 'llm:mcp:view']);
    for (const nothing of ['*', '*:*', 'llm:*', 'system:*:*', 'llm:model:u*', '*:*:*:*', 'llm:model:.*'])
      expect(held(nothing), nothing).toEqual([]);
    expect(held('*:*:*', false)).toEqual([]);
  });

  it('ignores codes that it does not know', () => {
    expect(map({ sub: 'u', scope: 'openid llm:model:delete LLM:MODEL:USE llm:model:use' }).permissions).toEqual(new Set(['llm:model:use']));
  });

  it('refuses a token without a subject', () => {
    for (const sub of [undefined, '', null, {}, ['a', 'b']])
      expect(() => map({ sub })).toThrow(expect.objectContaining({ code: 'token_invalid' }));
  });

  it('shows an expiry even for a token without a valid one', () => {
    const principal = mapClaims({ token: { sub: 'u' }, lookedUp: null }, preset('generic'), { issuer: 'x', expiresAt: Infinity });
    expect(() => new Date(principal.expiresAt).toISOString()).not.toThrow();
  });
});

describe('codes that follow from the role', () => {
  const mapping = { ...preset('generic'), permissionSource: 'role_defaults' as const };
  it.each([
    ['admin', 9],
    ['developer', 9],
    ['user', 6],
    ['viewer', 3],
    ['stranger', 0],
  ])('%s has %d', (role, count) => {
    expect(map({ sub: 'u', roles: [role], scope: '*:*:*' }, mapping).permissions.size).toBe(count);
  });

  it('of several roles are combined', () => {
    expect(map({ sub: 'u', roles: ['viewer', 'user'] }, mapping).permissions.size).toBe(6);
  });
});

describe('what was looked up', () => {
  const token = { sub: 'u', roles: ['admin'], tenant_id: 'a', scope: 'llm:model:use', preferred_username: 'old' };

  it('replaces the claim at the same path and keeps the others', () => {
    const principal = map(token, preset('sas'), { sub: 'u', roles: ['user'], tenant_id: 'b', preferred_username: 'new' });
    expect(principal).toMatchObject({ roles: ['user'], tenant: 'b', username: 'new', permissions: new Set(['llm:model:use']) });
  });

  it('removes rights by an empty list or null', () => {
    for (const nothing of [[], null, '']) expect(map(token, preset('sas'), { sub: 'u', roles: nothing }).roles).toEqual([]);
  });

  it('does not change the subject', () => {
    expect(map(token, preset('sas'), { sub: 'mallory' }).subject).toBe('u');
  });
});

describe('a service account', () => {
  it('is one whose subject is its client', () => {
    expect(isServiceAccount({ sub: 'batch', client_id: 'batch' }, preset('generic'))).toBe(true);
    expect(isServiceAccount({ sub: 'batch', aud: ['batch'] }, preset('sas'))).toBe(true);
    expect(isServiceAccount({ sub: 'ulla', client_id: 'web' }, preset('generic'))).toBe(false);
    expect(isServiceAccount({ sub: 'ulla', aud: ['ulla', 'web'] }, preset('sas'))).toBe(false);
    expect(isServiceAccount({ sub: 'ulla' }, preset('generic'))).toBe(false);
  });

  it('has the role "service" unless the token has one', () => {
    expect(map({ sub: 'batch', client_id: 'batch' })).toMatchObject({ roles: ['service'], client: 'batch' });
    expect(map({ sub: 'batch', client_id: 'batch', authorities: ['ROLE_DEVELOPER'] }, preset('sas')).roles).toEqual(['developer']);
    expect(map({ sub: 'ulla', client_id: 'web' }).roles).toEqual([]);
  });
});

describe('the presets', () => {
  it('read what their services write', () => {
    const sas = { sub: 'ulla', aud: 'web', scope: ['openid', 'llm:model:use'], authorities: ['ROLE_USER', 'llm:skill:use'] };
    expect(map(sas, preset('sas'), { sub: 'ulla', roles: ['DEVELOPER'] })).toMatchObject({
      client: 'web',
      permissions: new Set(['llm:model:use', 'llm:skill:use']),
    });
    expect(map(sas, preset('sas')).roles).toContain('user');

    const keycloak = {
      sub: 'f0',
      preferred_username: 'ulla',
      azp: 'web',
      realm_access: { roles: ['developer', 'offline_access'] },
      scope: 'email',
    };
    expect(map(keycloak, preset('keycloak'))).toMatchObject({ username: 'ulla', roles: ['developer'], client: 'web' });
    expect(map(keycloak, preset('keycloak')).permissions.size).toBe(9);

    const youlai = { sub: 'ulla', userId: 2, username: 'ulla', deptId: 1, authorities: ['ROLE_ADMIN'] };
    expect(map(youlai, preset('youlai'))).toMatchObject({
      subject: '2',
      username: 'ulla',
      roles: ['admin'],
      permissions: new Set(permissionCodes),
    });
  });

  const oauth = {
    issuer: 'https://identity.example',
    preset: 'sas',
    audiences: ['gate'],
    allowedClients: [],
    lookup: null,
    claims: null,
    tenant: null,
    maxRoles: [],
    permissionSource: null,
    insecureAnyAudience: false,
    file: null,
    clientId: null,
    clientSecret: null,
    scope: null,
    cliClientId: null,
    tokenHeader: null,
    proxy: null,
  };
  const settingsOf = async (changes: object = {}) => (await issuersFromSettings({ ...oauth, ...changes }))[0];

  it('can be overridden field by field', async () => {
    expect(await settingsOf()).toMatchObject({ issuer: oauth.issuer, audiences: ['gate'], lookups: issuerPresets['sas']?.lookups });
    const changed = await settingsOf({ lookup: 'claims', permissionSource: 'role_defaults', claims: { roles: ['groups'] } });
    expect(changed).toMatchObject({
      lookups: [],
      mapping: { permissionSource: 'role_defaults', paths: { roles: ['groups'], subject: ['sub'] } },
    });
  });

  it('are listed when an unknown one is configured', async () => {
    for (const name of ['spring', '__proto__', 'constructor']) {
      await expect(settingsOf({ preset: name })).rejects.toThrow(/there is no preset/);
    }
  });

  it('require tokens of the development service to have this gateway as audience', () => {
    expect(developmentIssuer('http://127.0.0.1:8080', 'http://127.0.0.1:8000')).toMatchObject({
      audiences: ['http://127.0.0.1:8000'],
      lookups: [],
    });
  });
});

describe('a text of a token that no database keeps as it is', () => {
  const refused = (token: Claims, lookedUp: Claims | null = null): string => {
    try {
      return map({ sub: 'u', tenant_id: 'acme', ...token }, preset('generic'), lookedUp).subject;
    } catch (thrown) {
      return String((thrown as Error).message);
    }
  };

  it.each([
    ['subject', 'sub', 256],
    ['tenant', 'tenant_id', 128],
    ['client', 'azp', 256],
  ])('is refused as the %s, with its field and who can change it', (field, claim, longest) => {
    for (const text of ['a\u0000b', '\u0000', 'a\nb', 'half \ud800', '\udc00'])
      expect(refused({ [claim]: text }), JSON.stringify(text)).toMatch(
        new RegExp(`^The ${field} in the token holds a control character.*your OAuth2 service`),
      );
    expect(refused({ [claim]: 'x'.repeat(longest + 1) })).toMatch(
      new RegExp(`^The ${field} in the token has ${longest + 1} characters; at most ${longest}`),
    );
    for (const text of ['x'.repeat(longest), '研发 部 🐉', 'ROLE_ADMIN'])
      expect(refused({ [claim]: text })).toBe(field === 'subject' ? text : 'u');
  });

  it('is refused as the tenant that a look-up answers', () => {
    expect(refused({}, { tenant_id: 'a\u0000cme' })).toMatch(/^The tenant in the token/);
  });

  it('is no role, because nothing can name it', () => {
    const { roles } = map({ sub: 'u', roles: ['user', 'x\u0000y', 'half \ud800', 'sales team'] });
    expect(roles).toEqual(['user', 'sales team']);
  });
});
