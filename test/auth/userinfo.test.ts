/** Rights looked up at the service: current ones or none. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Authenticator, createAuthenticator } from '../../src/auth/authenticator.ts';
import { issuerPresets } from '../../src/auth/issuer-presets.ts';
import { bearer, makeKey, type OauthService, settingsFor, type SigningKey, silentLogger, startOauthService } from './oauth-service.ts';

let key: SigningKey;
let service: OauthService;
let authenticator: Authenticator;

beforeEach(async () => {
  key = await makeKey('k1');
  service = await startOauthService([key]);
  authenticator = createAuthenticator({
    issuers: [settingsFor(service.issuer, { lookups: issuerPresets['sas']!.lookups, mapping: issuerPresets['sas']!.mapping })],
    logger: silentLogger,
  });
});
afterEach(async () => {
  vi.useRealTimers();
  authenticator.close();
  await service[Symbol.asyncDispose]();
});
const lookUps = (): number => service.hits.get('/userinfo') ?? 0;
const admit = async (claims: Record<string, unknown> = {}) => authenticator.authenticate(bearer(await service.sign(key, claims)));

describe('userinfo', () => {
  it('returns roles, tenant and permissions, and is queried once a minute', async () => {
    service.userinfo.body = { sub: 'ulla', roles: ['developer'], tenant_id: 'acme', permissions: ['llm:skill:manage'], name: 'Ulla' };
    const now = Date.now();
    vi.useFakeTimers({ toFake: ['Date'], now });
    const token = await service.sign(key);
    const principal = await authenticator.authenticate(bearer(token));
    expect(principal).toMatchObject({ roles: ['developer'], tenant: 'acme', username: 'Ulla' });
    expect([...principal.permissions].toSorted()).toEqual(['llm:skill:manage']);
    for (let index = 0; index < 20; index++) await authenticator.authenticate(bearer(token));
    expect(lookUps()).toBe(1);
    vi.setSystemTime(now + 61_000);
    await authenticator.authenticate(bearer(token));
    expect(lookUps()).toBe(2);
  });

  it('removes rights within a minute, whatever the token still says', async () => {
    service.userinfo.body = { sub: 'ulla', roles: ['admin'] };
    const now = Date.now();
    vi.useFakeTimers({ toFake: ['Date'], now });
    const token = await service.sign(key, { roles: ['admin'] });
    expect((await authenticator.authenticate(bearer(token))).roles).toEqual(['admin']);
    service.userinfo.body = { sub: 'ulla', roles: [] };
    vi.setSystemTime(now + 61_000);
    expect((await authenticator.authenticate(bearer(token))).roles).toEqual([]);
    service.userinfo = { status: 401, body: {} };
    vi.setSystemTime(now + 122_000);
    await expect(authenticator.authenticate(bearer(token))).rejects.toMatchObject({ code: 'token_invalid' });
  });

  it('with a 403 makes Pailou name the scope that the token lacks', async () => {
    service.userinfo = { status: 403, body: { error: 'insufficient_scope' } };
    await expect(admit({ roles: ['admin'] })).rejects.toMatchObject({
      code: 'token_invalid',
      message: expect.stringContaining('lacks a scope (403 insufficient_scope). Fetch a token with the scope "openid"'),
    });
  });

  it.each<[string, { status: number; body: unknown }]>([
    ['500', { status: 500, body: { sub: 'ulla', roles: ['admin'] } }],
    ['404', { status: 404, body: {} }],
    ['a redirect', { status: 302, body: {} }],
    ['a list', { status: 200, body: [{ sub: 'ulla', roles: ['admin'] }] }],
    ['nothing', { status: 200, body: null }],
    ['somebody else', { status: 200, body: { sub: 'otto', roles: ['admin'] } }],
    ['nobody', { status: 200, body: { roles: ['admin'] } }],
    ['a success that is none', { status: 200, body: { code: 401, msg: 'token expired' } }],
  ])('that answers %s is a 503, never the claims of the token', async (_name, answer) => {
    service.userinfo = answer;
    await expect(admit({ roles: ['admin'] })).rejects.toMatchObject({ code: 'auth_unavailable', status: 503 });
  });

  it('that is down is a 503 for new people; known people keep their cached minute', async () => {
    const known = await service.sign(key);
    const principal = await authenticator.authenticate(bearer(known));
    await service.stop();
    await expect(admit({ roles: ['admin'] })).rejects.toMatchObject({ code: 'auth_unavailable', retryAfterSeconds: 5 });
    expect(authenticator.authenticate(bearer(known))).toBe(principal);
  });

  it('that fails is queried at most once a second for one token, and again after it recovers', async () => {
    service.userinfo.status = 500;
    const token = await service.sign(key);
    for (let index = 0; index < 30; index++) {
      try {
        await authenticator.authenticate(bearer(token));
      } catch {
        // Expected: the test counts the requests to the service.
      }
    }
    expect(lookUps()).toBe(1);
    service.userinfo.status = 200;
    await vi.waitFor(async () => expect(await authenticator.authenticate(bearer(token))).toMatchObject({ subject: 'ulla' }), {
      timeout: 120_000,
      interval: 100,
    });
  });

  it('is not queried about forged tokens', async () => {
    const unknownKey = await makeKey('k1');
    const forged = await Promise.all(Array.from({ length: 20 }, () => service.sign(unknownKey)));
    const results = await Promise.allSettled(forged.map(async (token) => authenticator.authenticate(bearer(token))));
    expect(results.every((result) => result.status === 'rejected')).toBe(true);
    expect(lookUps()).toBe(0);
  });

  it('is not queried about service accounts, which are not people', async () => {
    const principal = await admit({ sub: 'batch', client_id: 'batch', roles: undefined, authorities: ['ROLE_DEVELOPER'] });
    expect(principal).toMatchObject({ subject: 'batch', client: 'batch', roles: ['developer'] });
    expect(lookUps()).toBe(0);
  });

  it('that answers with __proto__ changes nothing', async () => {
    service.userinfo.body = JSON.parse('{"sub":"ulla","__proto__":{"roles":["admin"]},"roles":["__proto__"]}');
    expect(await admit()).toMatchObject({ roles: ['__proto__'] });
  });
});
