/** key rotation */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Authenticator, createAuthenticator } from '../../src/auth/authenticator.ts';
import type { Logger } from '../../src/types/logger.ts';
import { bearer, makeKey, type OauthService, settingsFor, type SigningKey, silentLogger, startOauthService } from './oauth-service.ts';

let key: SigningKey;
let service: OauthService;
let authenticator: Authenticator;
let now: number;
let warnings: string[];

beforeEach(async () => {
  now = Date.now();
  vi.useFakeTimers({ toFake: ['Date'], now });
  key = await makeKey('k1');
  service = await startOauthService([key]);
  warnings = [];
  const logger: Logger = { ...silentLogger, warn: (_fields, message) => void warnings.push(message) };
  authenticator = createAuthenticator({ issuers: [settingsFor(service.issuer)], logger });
});
afterEach(async () => {
  vi.useRealTimers();
  authenticator.close();
  await service[Symbol.asyncDispose]();
});

const pass = (ms: number): void => void vi.setSystemTime((now += ms));
const day = 24 * 3_600_000;
/** A token that stays valid during all tests of this file. */
const sign = (by: SigningKey, claims: Record<string, unknown> = {}) =>
  service.sign(by, { exp: Math.floor(now / 1000) + 100 * 3600, ...claims });
const codeOf = async (token: string): Promise<string> => {
  try {
    await authenticator.authenticate(bearer(token));
    return 'let in';
  } catch (thrown) {
    return (thrown as { code: string }).code;
  }
};
const keyFetches = (): number => service.hits.get('/jwks') ?? 0;

describe('while the service is unreachable', () => {
  it('and no keys are cached, calls get 503 with Retry-After, and the log has the reason', async () => {
    const token = await sign(key);
    await service.stop();
    await expect(authenticator.authenticate(bearer(token))).rejects.toMatchObject({
      code: 'auth_unavailable',
      status: 503,
      retryAfterSeconds: 5,
    });
    expect(warnings).toEqual([expect.stringContaining('PAILOU_OAUTH_ISSUER')]);
    await service.restart();
    pass(1_500);
    expect(await codeOf(await sign(key))).toBe('let in');
  });

  it('a status 500, an invalid document and an empty key set all count as no keys', async () => {
    service.broken = true;
    expect(await codeOf(await sign(key))).toBe('auth_unavailable');
    service.broken = false;
    service.keys = [];
    pass(1_500);
    expect(await codeOf(await sign(key))).toBe('auth_unavailable');
  });

  it('an invalid token still gets 401', async () => {
    await service.stop();
    expect(await codeOf(await sign(key, { iss: 'https://evil.example' }))).toBe('token_invalid');
    expect(await codeOf('a.b.c')).toBe('token_invalid');
  });

  it('cached keys stay in use up to a day, for known and new people, and no call waits for a fetch', async () => {
    const early = await sign(key);
    expect(await codeOf(early)).toBe('let in');
    await service.stop();
    for (const wait of [61_000, 11 * 60_000, 3_600_000, day - 2 * 3_600_000]) {
      pass(wait);
      expect(await codeOf(early), String(wait)).toBe('let in');
      expect(await codeOf(await sign(key, { sub: 'otto' })), String(wait)).toBe('let in');
    }
    pass(day);
    expect(await codeOf(await sign(key, { sub: 'otto' }))).toBe('auth_unavailable');
  });

  it('a service that hangs does not delay tokens with a known key', async () => {
    await codeOf(await sign(key));
    service.stuck = true;
    pass(3_600_000);
    const start = performance.now();
    expect(await codeOf(await sign(key, { sub: 'otto' }))).toBe('let in');
    expect(performance.now() - start).toBeLessThan(3_000);
  });

  it('closing lets go of what is in progress at once', async () => {
    service.stuck = true;
    const waiting = codeOf(await sign(key));
    await vi.waitFor(() => expect(service.hits.size).toBe(1));
    const start = performance.now();
    authenticator.close();
    expect(await waiting).toBe('auth_unavailable');
    expect(performance.now() - start).toBeLessThan(3_000);
    expect(warnings).toEqual([]);
  });

  it('an unknown key gets 503, with one fetch in 30 seconds', async () => {
    await codeOf(await sign(key));
    const fresh = await makeKey('k2');
    service.broken = true;
    pass(31_000);
    const asked = (): number => [...service.hits.values()].reduce((sum, hits) => sum + hits, 0);
    for (let index = 0; index < 200; index++) expect(await codeOf(await sign(fresh))).toBe('auth_unavailable');
    const after = asked();
    for (let index = 0; index < 200; index++) await codeOf(await sign(fresh));
    expect(asked()).toBe(after);
    service.broken = false;
    service.keys = [key.publicJwk, fresh.publicJwk];
    pass(31_000);
    expect(await codeOf(await sign(fresh))).toBe('let in');
  });
});

describe('keys that change', () => {
  it('a new key is fetched when first seen, and so is the next one', async () => {
    await codeOf(await sign(key));
    const [second, third] = [await makeKey('k2'), await makeKey('k3')];
    service.keys = [key.publicJwk, second.publicJwk];
    expect(await codeOf(await sign(second))).toBe('let in');
    service.keys = [key.publicJwk, second.publicJwk, third.publicJwk];
    expect(await codeOf(await sign(third))).toBe('let in');
    expect(await codeOf(await sign(key))).toBe('let in');
    expect(keyFetches()).toBe(3);
  });

  it('a new key shortly after a fetch without it gets 503 with Retry-After, not 401', async () => {
    await codeOf(await sign(key));
    expect(await codeOf(await sign(await makeKey('invented')))).toBe('token_invalid');
    const fresh = await makeKey('k2');
    service.keys = [key.publicJwk, fresh.publicJwk];
    pass(20_000);
    const token = await sign(fresh);
    await expect(Promise.resolve().then(() => authenticator.authenticate(bearer(token)))).rejects.toMatchObject({
      code: 'auth_unavailable',
      status: 503,
      retryAfterSeconds: 10,
    });
    expect(keyFetches()).toBe(2);
    pass(10_000);
    expect(await codeOf(await sign(fresh))).toBe('let in');
  });

  it('2,000 invented key ids cost one fetch', async () => {
    await codeOf(await sign(key));
    pass(31_000);
    const unknownKey = await makeKey('x');
    const [, body, signature] = (await sign(unknownKey)).split('.') as [string, string, string];
    const kids = Array.from({ length: 2_000 }, (_, index) =>
      Buffer.from(JSON.stringify({ alg: 'ES256', kid: `invented-${index}` })).toString('base64url'),
    );
    const codes = await Promise.all(kids.map((head) => codeOf(`${head}.${body}.${signature}`)));
    expect(new Set(codes)).toEqual(new Set(['token_invalid']));
    expect(keyFetches()).toBe(2);
  });

  it('a revoked key ends its tokens at once, even those of known people', async () => {
    const fresh = await makeKey('k2');
    service.keys = [key.publicJwk, fresh.publicJwk];
    const [old, recent] = [await sign(key), await sign(fresh, { sub: 'otto' })];
    expect([await codeOf(old), await codeOf(recent)]).toEqual(['let in', 'let in']);
    service.keys = [fresh.publicJwk];
    pass(31_000);
    // Any unknown key id causes a refresh; otherwise the background refresh does it.
    await codeOf(await sign(await makeKey('x')));
    expect(await codeOf(old)).toBe('token_invalid');
    expect(await codeOf(recent)).toBe('let in');
  });

  it('a key that is replaced under the same id ends the old one too', async () => {
    const old = await sign(key);
    await codeOf(old);
    const replaced = await makeKey('k1');
    service.keys = [replaced.publicJwk];
    pass(31_000);
    await codeOf(await sign(await makeKey('x')));
    expect(await codeOf(old)).toBe('token_invalid');
    expect(await codeOf(await sign(replaced))).toBe('let in');
  });

  it('a failed refresh revokes nothing', async () => {
    const token = await sign(key);
    await codeOf(token);
    for (const fail of [() => (service.broken = true), () => ((service.broken = false), (service.keys = []))]) {
      fail();
      pass(31_000);
      await codeOf(await sign(await makeKey('x')));
      expect(await codeOf(token)).toBe('let in');
    }
  });

  it('are refreshed in the background until closing', async () => {
    vi.useRealTimers();
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now });
    await codeOf(await sign(key));
    await vi.advanceTimersByTimeAsync(600_000);
    await vi.waitFor(() => expect(keyFetches()).toBe(2));
    authenticator.close();
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(keyFetches()).toBe(2);
  });

  it('are fetched again with a growing pause while the service fails, up to a limit', async () => {
    vi.useRealTimers();
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now });
    await codeOf(await sign(key));
    service.broken = true;
    const asked = (): number => service.hits.get('/jwks') ?? 0;
    for (let minute = 0; minute < 60; minute++) {
      await vi.advanceTimersByTimeAsync(60_000);
      await vi.waitFor(() => new Promise<void>((resolve) => setImmediate(resolve)));
    }
    expect(asked()).toBeGreaterThan(4);
    expect(asked()).toBeLessThan(20);
    service.broken = false;
    const before = asked();
    await vi.advanceTimersByTimeAsync(600_000);
    await vi.waitFor(() => expect(asked()).toBeGreaterThan(before));
  });
});

describe('the key set', () => {
  it('may have several keys that fit a token without key id', async () => {
    const [second, third] = [await makeKey('k2'), await makeKey('k3', 'RS256')];
    service.keys = [key.publicJwk, second.publicJwk, third.publicJwk];
    for (const each of [key, second, third]) expect(await codeOf(await service.sign(each, {}, { kid: undefined }))).toBe('let in');
    expect(await codeOf(await service.sign(await makeKey('x'), {}, { kid: undefined }))).toBe('token_invalid');
  });

  it('never serves a shared secret or an encryption key', async () => {
    const secret = { kty: 'oct', kid: 's1', alg: 'HS256', k: Buffer.from('secret'.repeat(8)).toString('base64url') };
    const encryption = await makeKey('e1');
    service.keys = [key.publicJwk, secret, { ...encryption.publicJwk, use: 'enc' }];
    expect(await codeOf(await service.sign(encryption))).toBe('token_invalid');
  });

  it('is found by the OAuth 2.0 metadata where there is no OpenID Connect', async () => {
    service.withoutOpenId = true;
    expect(await codeOf(await sign(key))).toBe('let in');
  });

  it('of a document that names another issuer is refused', async () => {
    await using other = await startOauthService([key]);
    const pretender = createAuthenticator({
      issuers: [settingsFor(service.issuer)],
      logger: silentLogger,
      fetchFor: () => (input, init) => fetch((input as string).replace(service.issuer, other.issuer), init),
    });
    await expect(pretender.authenticate(bearer(await sign(key)))).rejects.toMatchObject({ code: 'auth_unavailable' });
    pretender.close();
    expect(other.hits.get('/jwks')).toBeUndefined();
  });
});
