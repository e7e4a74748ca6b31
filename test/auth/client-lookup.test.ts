/** Look-ups with the client of the gateway itself: one token for all, fetched again when it is refused, and never in place of the caller's. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Authenticator, createAuthenticator } from '../../src/auth/authenticator.ts';
import { issuerSettings } from '../../src/auth/issuer-settings.ts';
import { issuerSpec, type IssuerSpecInput } from '../../src/auth/issuer-spec.ts';
import { audience, makeKey, type OauthService, serviceClient, type SigningKey, silentLogger, startOauthService } from './oauth-service.ts';

let key: SigningKey;
let service: OauthService;
let authenticator: Authenticator | null = null;

beforeEach(async () => {
  key = await makeKey('k1');
  service = await startOauthService([key]);
});
afterEach(async () => {
  authenticator?.close();
  await service[Symbol.asyncDispose]();
});

const lookup = { kind: 'http', url: '/people/{subject}', as_client: 'token' } as const;
const settings = (changes: Partial<IssuerSpecInput> = {}) =>
  issuerSettings(
    issuerSpec.parse({
      issuer: service.issuer,
      preset: 'generic',
      audiences: [audience],
      client: serviceClient,
      lookups: [lookup],
      ...changes,
    }),
  );
function open(changes: Partial<IssuerSpecInput> = {}): Authenticator {
  authenticator = createAuthenticator({ issuers: [settings(changes)], logger: silentLogger });
  return authenticator;
}
const admit = async (subject: string, claims: Record<string, unknown> = {}) =>
  (authenticator ?? open()).verify(await service.sign(key, { sub: subject, ...claims }));
afterEach(() => (authenticator = null));

describe('the token of the client', () => {
  it('is fetched once for many people at a time', async () => {
    const names = Array.from({ length: 20 }, (_none, index) => `person-${index}`);
    for (const name of names) service.people.set(name, { roles: ['user'] });
    await Promise.all(names.map((name) => admit(name)));
    expect(service.hits.get('/token')).toBe(1);
  });

  it('is fetched again when the service takes it back, and only once when that does not help', async () => {
    service.people.set('ulla', { roles: ['user'] });
    await admit('ulla');
    service.clientTokens.clear();
    expect((await admit('ulla')).roles).toEqual(['user']);
    expect(service.hits.get('/token')).toBe(2);
    service.clientTokens.add = () => service.clientTokens;
    service.clientTokens.clear();
    await expect(admit('ulla')).rejects.toMatchObject({ code: 'auth_unavailable' });
    expect(service.hits.get('/token')).toBe(3);
  });

  it('that the service does not issue denies access, whatever the token claims', async () => {
    service.people.set('ulla', { roles: ['user'] });
    open({ client: { ...serviceClient, secret: 'wrong' } });
    await expect(admit('ulla', { roles: ['admin'] })).rejects.toMatchObject({ code: 'auth_unavailable', status: 503 });
  });
});

describe('the person in the address', () => {
  it.each(['..', '.'])('cannot be %s, which names another folder', async (subject) => {
    service.people.set('', { roles: ['admin'] });
    await expect(admit(subject)).rejects.toMatchObject({ code: 'auth_unavailable' });
  });

  it.each(['a/b', '../x', 'a?b=c', 'a#b', '%2e%2e', 'ü l'])('%s is one segment', async (subject) => {
    service.people.set(subject, { roles: ['viewer'] });
    expect((await admit(subject, { roles: ['admin'] })).roles).toEqual(['viewer']);
  });

  it('who is not known there has no token that counts', async () => {
    await expect(admit('nobody', { roles: ['admin'] })).rejects.toMatchObject({ code: 'token_invalid' });
  });
});

describe('a list', () => {
  const list = { ...lookup, list: { field: 'roles', each: 'name' } } as const;

  it('is the roles of the person, in place of those of the token, also when it is empty', async () => {
    open({ lookups: [list] });
    service.people.set('ulla', [{ name: 'developer' }, { name: 'analyst' }, { id: 1 }]);
    expect((await admit('ulla', { roles: ['admin'] })).roles).toEqual(['developer', 'analyst']);
    service.people.set('otto', []);
    expect((await admit('otto', { roles: ['admin'] })).roles).toEqual([]);
  });

  it('that is none denies access', async () => {
    open({ lookups: [list] });
    service.people.set('ulla', { roles: ['admin'] });
    await expect(admit('ulla')).rejects.toMatchObject({ code: 'auth_unavailable' });
  });
});

describe('the tenant', () => {
  it.each([
    ['another claim of the token', { tenant: 'acme' }, 'acme'],
    ['the token when the service says none', { tenant: null }, 'default'],
  ])('that the service answers counts before %s', async (_what, answer, tenant) => {
    service.people.set('ulla', { roles: ['user'], ...answer });
    expect((await admit('ulla', { tenant_id: 'rival' })).tenant).toBe(tenant);
  });
});

describe('a configuration', () => {
  it.each<[string, Partial<IssuerSpecInput>, RegExp]>([
    ['asks without a client', { client: undefined }, /client: this look-up is asked with a client of your own/],
    [
      'accepts any text as an opaque token',
      { tokens: 'opaque', lookups: [{ ...lookup, url: '/me' }] },
      /lookups: tokens that only the service can read need a look-up that reads them first/,
    ],
    [
      'writes the authorization twice',
      { lookups: [{ ...lookup, headers: { Authorization: 'Bearer {token}' } }] },
      /lookups\[0\]\.headers: leave authorization out/,
    ],
    ['is for Keycloak and names no realm', { lookups: [{ kind: 'keycloak_user' }] }, /is no address of a Keycloak realm/],
    ['writes the token into the address', { lookups: [{ ...lookup, url: '/people/{token}' }] }, /must not contain \{token\}/],
  ])('that %s is refused', (_what, changes, message) => {
    expect(() => settings(changes)).toThrow(message);
  });

  it('for Keycloak asks the Admin API of the realm', () => {
    const { lookups } = settings({
      issuer: 'https://sso.company.cn/auth/realms/team/',
      preset: 'keycloak',
      lookups: [{ kind: 'keycloak_user' }],
    });
    expect(lookups).toMatchObject([
      { url: 'https://sso.company.cn/auth/admin/realms/team/users/{subject}', asClient: 'token' },
      { url: 'https://sso.company.cn/auth/admin/realms/team/users/{subject}/role-mappings/realm/composite' },
    ]);
  });
});
