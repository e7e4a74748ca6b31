/** Verification of tokens that an OAuth2 service in the test signs. Keys, look-ups and forged tokens have other files. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Authenticator, createAuthenticator } from '../../src/auth/authenticator.ts';
import type { IssuerSettings } from '../../src/auth/issuer.ts';
import type { Principal } from '../../src/types/access.ts';
import {
  audience,
  bearer,
  makeKey,
  type OauthService,
  settingsFor,
  type SigningKey,
  silentLogger,
  startOauthService,
} from './oauth-service.ts';

let key: SigningKey;
let service: OauthService;
const open: Authenticator[] = [];

beforeEach(async () => {
  key = await makeKey('k1');
  service = await startOauthService([key]);
});
afterEach(async () => {
  vi.useRealTimers();
  for (const authenticator of open.splice(0)) authenticator.close();
  await service[Symbol.asyncDispose]();
});

function gate(changes: Partial<IssuerSettings> = {}, others: readonly IssuerSettings[] = []): Authenticator {
  const authenticator = createAuthenticator({ issuers: [settingsFor(service.issuer, changes), ...others], logger: silentLogger });
  open.push(authenticator);
  return authenticator;
}
const refused = async (authenticator: Authenticator, headers: Record<string, string>): Promise<{ code: string; message: string }> => {
  try {
    await authenticator.authenticate(headers);
  } catch (thrown) {
    return thrown as { code: string; message: string };
  }
  throw new Error('was let in');
};

describe('a good token', () => {
  it('becomes a principal, asynchronously the first time and synchronously afterwards', async () => {
    const authenticator = gate();
    const token = await service.sign(key);
    const first = authenticator.authenticate(bearer(token));
    expect(first).toBeInstanceOf(Promise);
    const principal = await first;
    expect(principal).toMatchObject({ subject: 'ulla', roles: ['user'], issuer: service.issuer, tenant: 'default' });
    expect(authenticator.authenticate(bearer(token))).toBe(principal);
    expect(authenticator.authenticate({ 'x-api-key': token })).toBe(principal);
  });

  it('is verified once for many concurrent calls', async () => {
    const authenticator = gate();
    const token = await service.sign(key);
    const all = await Promise.all(Array.from({ length: 50 }, async () => authenticator.authenticate(bearer(token))));
    expect(new Set(all).size).toBe(1);
    expect(service.hits.get('/jwks')).toBe(1);
  });

  it.each(['RS256', 'PS256', 'ES384', 'EdDSA'])('may be signed with %s', async (alg) => {
    const other = await makeKey('k2', alg);
    service.keys.push(other.publicJwk);
    expect(await gate().authenticate(bearer(await service.sign(other)))).toMatchObject({ subject: 'ulla' });
  });

  it('may have no typ, or be called JWT', async () => {
    for (const typ of [undefined, 'JWT', 'application/at+jwt'])
      expect(await gate().authenticate(bearer(await service.sign(key, {}, { typ })))).toMatchObject({ subject: 'ulla' });
  });

  it('may carry the permissions of the whole company in one comma-joined claim', async () => {
    const token = await service.sign(key, { roles: 'user,team-a', scope: 'openid,llm:model:use,llm:mcp:view' });
    const principal = await gate().authenticate(bearer(token));
    expect(principal).toMatchObject({ roles: ['user', 'team-a'], permissions: new Set(['llm:model:use', 'llm:mcp:view']) });
  });

  it('is verified again after a minute, and refused at its expiry plus the clock skew', async () => {
    const authenticator = gate();
    const start = Date.now();
    vi.useFakeTimers({ toFake: ['Date'], now: start });
    const token = await service.sign(key, { exp: Math.floor(start / 1000) + 90 });
    const principal = await authenticator.authenticate(bearer(token));
    vi.setSystemTime(start + 59_000);
    expect(authenticator.authenticate(bearer(token))).toBe(principal);
    vi.setSystemTime(start + 61_000);
    const again = authenticator.authenticate(bearer(token));
    expect(again).toBeInstanceOf(Promise);
    await again;
    vi.setSystemTime(start + 100_000);
    expect(await authenticator.authenticate(bearer(token))).toMatchObject({ subject: 'ulla' });
    vi.setSystemTime(start + 125_000);
    expect(await refused(authenticator, bearer(token))).toMatchObject({ code: 'token_expired' });
  });
});

describe('a token that ends soon', () => {
  it('is not cached beyond its expiry', async () => {
    const authenticator = gate();
    const start = Date.now();
    vi.useFakeTimers({ toFake: ['Date'], now: start });
    const token = await service.sign(key, { exp: Math.floor(start / 1000) + 10 });
    await authenticator.authenticate(bearer(token));
    vi.setSystemTime(start + 45_000);
    expect(await refused(authenticator, bearer(token))).toMatchObject({ code: 'token_expired' });
  });
});

describe('the headers', () => {
  it('must carry a token', async () => {
    expect(await refused(gate(), {})).toMatchObject({ code: 'token_missing' });
    expect(await refused(gate(), { 'x-api-key': '' })).toMatchObject({ code: 'token_missing' });
  });

  it('must send it as Bearer, in any letter case', async () => {
    const token = await service.sign(key);
    for (const authorization of [`bearer ${token}`, `BEARER  ${token} `])
      expect(await gate().authenticate({ authorization })).toMatchObject({ subject: 'ulla' });
    for (const authorization of ['', 'Bearer', 'Bearer ', token, `Basic ${token}`, `Bearer ${token} ${token}`, `Bearer ${token},x y`])
      expect(await refused(gate(), { authorization }), authorization).toMatchObject({ code: 'token_invalid' });
  });

  it('may repeat one token, but not contain two different ones', async () => {
    const [one, two] = [await service.sign(key), await service.sign(key)];
    const authenticator = gate();
    expect(await authenticator.authenticate({ ...bearer(one), 'x-api-key': one })).toMatchObject({ subject: 'ulla' });
    await authenticator.authenticate(bearer(two));
    const error = await refused(authenticator, { ...bearer(one), 'x-api-key': two });
    expect(error).toMatchObject({ code: 'token_invalid' });
    expect(error.message).toContain('two different tokens');
  });

  it('are refused above 32 kB before any work, and invalid ones without a fetch', async () => {
    const big = await service.sign(key, { scope: 'x'.repeat(33_000) });
    const error = await refused(gate(), bearer(big));
    expect(error.message).toContain('32 kB');
    for (const garbage of [
      "' or 1=1--",
      'a',
      'a.b',
      'a.b.c',
      'a.b.c.d.e',
      '..',
      'ey.ey.ey',
      '\u0000.\u0000.\u0000',
      `${'.'.repeat(30_000)}`,
    ])
      expect(await refused(gate(), { 'x-api-key': garbage }), garbage.slice(0, 20)).toMatchObject({ code: 'token_invalid' });
    expect(service.hits.size).toBe(0);
  });
});

describe('audience and client', () => {
  it('must match where they are required', async () => {
    const authenticator = gate({ allowedClients: ['web', 'cli'] });
    expect(await authenticator.authenticate(bearer(await service.sign(key, { azp: 'web' })))).toMatchObject({ client: 'web' });
    expect(await authenticator.authenticate(bearer(await service.sign(key, { client_id: 'cli' })))).toMatchObject({ client: 'cli' });
    expect(await refused(authenticator, bearer(await service.sign(key, { azp: 'shop' })))).toMatchObject({ code: 'token_invalid' });
    expect(await refused(authenticator, bearer(await service.sign(key)))).toMatchObject({ code: 'token_invalid' });
    const byClient = gate({ audiences: [], allowedClients: ['web'] });
    expect(await byClient.authenticate(bearer(await service.sign(key, { aud: 'web' })))).toMatchObject({ subject: 'ulla' });
  });

  it('may be one of several', async () => {
    expect(await gate().authenticate(bearer(await service.sign(key, { aud: ['other', audience] })))).toMatchObject({ subject: 'ulla' });
  });
});

describe('several issuers', () => {
  it('are isolated: each verifies only its own tokens, with its own keys and settings', async () => {
    const otherKey = await makeKey('k1');
    await using other = await startOauthService([otherKey]);
    const mapping = { ...settingsFor(other.issuer).mapping, defaultTenant: 'branch' };
    const authenticator = gate({}, [settingsFor(other.issuer, { mapping, audiences: ['branch-gate'] })]);
    expect(await authenticator.authenticate(bearer(await service.sign(key)))).toMatchObject({ tenant: 'default', issuer: service.issuer });
    const branch = await authenticator.authenticate(bearer(await other.sign(otherKey, { aud: 'branch-gate' })));
    expect(branch).toMatchObject({ tenant: 'branch', issuer: other.issuer });
    // The same key id, with the key of another issuer.
    for (const token of [
      await other.sign(otherKey, { iss: service.issuer }),
      await service.sign(key, { iss: other.issuer, aud: 'branch-gate' }),
      await other.sign(otherKey),
    ])
      expect(await refused(authenticator, bearer(token))).toMatchObject({ code: 'token_invalid' });
  });

  it('fail independently: one that is unreachable does not affect people of another', async () => {
    const otherKey = await makeKey('k1');
    await using other = await startOauthService([otherKey]);
    const authenticator = gate({}, [settingsFor(other.issuer)]);
    const foreign = await other.sign(otherKey);
    await other.stop();
    expect(await refused(authenticator, bearer(foreign))).toMatchObject({ code: 'auth_unavailable' });
    expect(await authenticator.authenticate(bearer(await service.sign(key)))).toMatchObject({ subject: 'ulla' });
  });
});

describe('the cache', () => {
  it('is not emptied by 1,500 invalid tokens: a valid one is still cached', async () => {
    const authenticator = gate();
    const token = await service.sign(key);
    const principal = await authenticator.authenticate(bearer(token));
    const [head, body, signature] = token.split('.') as [string, string, string];
    const flood = Array.from({ length: 1_500 }, (_, index) => `${head}.${body}.${String(index).padStart(8, 'A')}${signature.slice(8)}`);
    for (const bad of flood) expect(await refused(authenticator, bearer(bad))).toMatchObject({ code: 'token_invalid' });
    expect(authenticator.authenticate(bearer(token))).toBe(principal);
    expect(service.hits.get('/jwks')).toBe(1);
  });

  it('caches a refusal briefly, without a second request', async () => {
    const authenticator = gate();
    const bad = await service.sign(key, { aud: 'elsewhere' });
    await refused(authenticator, bearer(bad));
    expect(() => authenticator.authenticate(bearer(bad))).toThrow(expect.objectContaining({ code: 'token_invalid' }));
  });

  it('distinguishes tokens that differ only in the signature or the last claim', async () => {
    const authenticator = gate();
    const claims = { jti: 'same', iat: 1_700_000_000, exp: Math.floor(Date.now() / 1000) + 600 };
    const [ulla, otto] = [await service.sign(key, { ...claims, zzz: 'a' }), await service.sign(key, { ...claims, sub: 'otto', zzz: 'a' })];
    const [one, two] = [await authenticator.authenticate(bearer(ulla)), await authenticator.authenticate(bearer(otto))];
    expect([one.subject, two.subject]).toEqual(['ulla', 'otto']);
    const [head, body] = ulla.split('.') as [string, string];
    const swapped = `${head}.${body}.${otto.split('.')[2]!}`;
    expect(swapped.slice(0, 100)).toBe(ulla.slice(0, 100));
    expect(await refused(authenticator, bearer(swapped))).toMatchObject({ code: 'token_invalid' });
    expect((authenticator.authenticate(bearer(ulla)) as Principal).subject).toBe('ulla');
  });
});
