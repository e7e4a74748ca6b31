/** Forged and misused tokens, while the issuer is available: each gets 401, and none causes a request to an address that it names. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Authenticator, createAuthenticator } from '../../src/auth/authenticator.ts';
import {
  bearer,
  makeKey,
  type OauthService,
  part,
  settingsFor,
  signAnything,
  type SigningKey,
  silentLogger,
  startOauthService,
} from './oauth-service.ts';

let key: SigningKey;
let rsa: SigningKey;
let otherKey: SigningKey;
let service: OauthService;
let authenticator: Authenticator;

beforeAll(async () => {
  [key, rsa, otherKey] = await Promise.all([makeKey('k1'), makeKey('r1', 'RS256'), makeKey('k1')]);
  service = await startOauthService([key, rsa]);
  authenticator = createAuthenticator({ issuers: [settingsFor(service.issuer)], logger: silentLogger });
  // The keys are cached, so any further fetch is caused by the token.
  await authenticator.authenticate(bearer(await service.sign(key)));
});
afterAll(async () => {
  authenticator.close();
  await service[Symbol.asyncDispose]();
});

async function codeOf(token: string): Promise<string> {
  try {
    await authenticator.authenticate(bearer(token));
    return 'let in';
  } catch (thrown) {
    return (thrown as { code: string }).code;
  }
}
const now = (): number => Math.floor(Date.now() / 1000);
const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>;

describe('a forged signature', () => {
  it('none at all, however spelled', async () => {
    const claims = claimsOf(await service.sign(key));
    expect(await codeOf(new UnsecuredJWT(claims).encode())).toBe('token_invalid');
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '', null, 0, ['ES256'], undefined]) {
      for (const signature of ['', 'AAAA'])
        expect(await codeOf(`${part({ alg, kid: 'k1' })}.${part(claims)}.${signature}`), String(alg)).toBe('token_invalid');
    }
  });

  it('HMAC keyed with the public key, in each encoding of the key', async () => {
    const claims = claimsOf(await service.sign(key));
    for (const publicJwk of [rsa.publicJwk, key.publicJwk]) {
      for (const secret of [
        JSON.stringify(publicJwk),
        JSON.stringify({ keys: service.keys }),
        String(publicJwk['n'] ?? publicJwk['x']),
        '',
      ]) {
        for (const alg of ['HS256', 'HS512']) {
          const token = await new SignJWT(claims)
            .setProtectedHeader({ alg, kid: String(publicJwk.kid), typ: 'at+jwt' })
            .sign(new TextEncoder().encode(secret.padEnd(64, ' ')));
          expect(await codeOf(token)).toBe('token_invalid');
        }
      }
    }
  });

  it('an algorithm that does not belong to the key', async () => {
    const token = await service.sign(key);
    const [, body, signature] = token.split('.') as [string, string, string];
    for (const header of [
      { alg: 'RS256', kid: 'k1' },
      { alg: 'ES256', kid: 'r1' },
      { alg: 'PS256', kid: 'r1' },
      { alg: 'EdDSA', kid: 'k1' },
    ])
      expect(await codeOf(`${part(header)}.${body}.${signature}`), JSON.stringify(header)).toBe('token_invalid');
  });

  it('another key under a known id, or embedded in the token', async () => {
    expect(await codeOf(await service.sign(otherKey))).toBe('token_invalid');
    expect(await codeOf(await service.sign(otherKey, {}, { jwk: otherKey.publicJwk }))).toBe('token_invalid');
    expect(await codeOf(await service.sign(otherKey, {}, { jwk: otherKey.publicJwk, kid: undefined }))).toBe('token_invalid');
  });

  it('claims changed, signature cut, swapped, emptied or bit-flipped', async () => {
    const token = await service.sign(key);
    const other = await service.sign(key, { sub: 'otto' });
    const [head, body, signature] = token.split('.') as [string, string, string];
    const bad = [
      `${head}.${part({ ...claimsOf(token), roles: ['admin'] })}.${signature}`,
      `${head}.${body}.${other.split('.')[2]!}`,
      `${head}.${body}.`,
      `${head}.${body}.${signature.slice(0, -2)}`,
      `${head}.${body}.${signature[0] === 'A' ? 'B' : 'A'}${signature.slice(1)}`,
      `${part({ alg: 'ES256', kid: 'k1', typ: 'at+jwt', extra: 1 })}.${body}.${signature}`,
      `${head}.${body}.${'A'.repeat(86)}`,
    ];
    for (const each of bad) expect(await codeOf(each)).toBe('token_invalid');
    expect(await codeOf(token)).toBe('let in');
  });

  it('another base64 spelling of the same bytes', async () => {
    const token = await service.sign(key);
    const [head, body, signature] = token.split('.') as [string, string, string];
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const bytes = Buffer.from(signature, 'base64url');
    const sameBytes = Array.from(letters, (letter) => signature.slice(0, -1) + letter).filter(
      (each) => each !== signature && Buffer.from(each, 'base64url').equals(bytes),
    );
    expect(sameBytes.length).toBe(15);
    for (const each of [...sameBytes, `${signature}=`, `${signature}==`, bytes.toString('base64')])
      expect(await codeOf(`${head}.${body}.${each}`), each).toBe('token_invalid');
    expect(await codeOf(token)).toBe('let in');
  });
});

/** An unknown key id is looked up once in 30 seconds. Until then it may be valid. */
const refused = /^(token_invalid|auth_unavailable)$/;

describe('a token that names an address to fetch', () => {
  it('is ignored: jku and x5u are never fetched', async () => {
    let hits = 0;
    const listener = createServer((_request, response) => {
      hits++;
      response.end(JSON.stringify({ keys: [otherKey.publicJwk] }));
    });
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
    for (const header of [{ jku: url }, { x5u: url }, { jku: url, kid: 'new' }, { kid: url }])
      expect(await codeOf(await service.sign(otherKey, {}, header))).toMatch(refused);
    expect(await codeOf(await service.sign(otherKey, { iss: url }))).toBe('token_invalid');
    await new Promise((resolve) => listener.close(resolve));
    expect(hits).toBe(0);
  });

  it('gains nothing by key ids that are paths, lists, or 2,000 invented ones', async () => {
    const before = service.hits.get('/jwks') ?? 0;
    for (const kid of ['../../etc/passwd', '/dev/null', "k1' or '1'='1", '__proto__', 'constructor', 'k1\u0000', '', 'x'.repeat(9_000)])
      expect(await codeOf(await service.sign(otherKey, {}, { kid })), kid.slice(0, 30)).toMatch(refused);
    const [, body, signature] = (await service.sign(otherKey)).split('.') as [string, string, string];
    for (const kid of [['k1'], { k1: 1 }, 1, null])
      expect(await codeOf(`${part({ alg: 'ES256', kid })}.${body}.${signature}`)).toBe('token_invalid');
    await Promise.all(
      Array.from({ length: 2_000 }, async (_, index) =>
        expect(await codeOf(`${part({ alg: 'ES256', kid: `invented-${index}` })}.${body}.${signature}`)).toMatch(refused),
      ),
    );
    expect((service.hits.get('/jwks') ?? 0) - before).toBeLessThanOrEqual(1);
  });
});

describe('a correctly signed token for another audience', () => {
  it.each<[string, Record<string, unknown>, Record<string, unknown>, string]>([
    ['another audience', { aud: 'https://elsewhere.example' }, {}, 'token_invalid'],
    ['an audience that only begins like ours', { aud: 'https://gate.example.evil' }, {}, 'token_invalid'],
    ['no audience', { aud: undefined }, {}, 'token_invalid'],
    ['another issuer', { iss: 'https://evil.example' }, {}, 'token_invalid'],
    ['no issuer', { iss: undefined }, {}, 'token_invalid'],
    ['a list of issuers', { iss: ['https://evil.example'] }, {}, 'token_invalid'],
    ['no end', { exp: undefined }, {}, 'token_invalid'],
    ['an end that is a word', { exp: '9999999999' }, {}, 'token_invalid'],
    ['no subject', { sub: undefined }, {}, 'token_invalid'],
    ['expired', { exp: now() - 120 }, {}, 'token_expired'],
    ['not valid yet', { nbf: now() + 120 }, {}, 'token_invalid'],
    ['an id token (nonce)', { nonce: 'n' }, {}, 'token_invalid'],
    ['an id token (at_hash)', { at_hash: 'h' }, {}, 'token_invalid'],
    ['an id token (Keycloak)', { typ: 'ID' }, {}, 'token_invalid'],
    ['an id token (Cognito)', { token_use: 'id' }, {}, 'token_invalid'],
    ['a refresh token', { typ: 'Refresh' }, {}, 'token_invalid'],
    ['an offline token', { typ: 'Offline' }, {}, 'token_invalid'],
    ['a logout token', {}, { typ: 'logout+jwt' }, 'token_invalid'],
    ['a proof of possession', {}, { typ: 'dpop+jwt' }, 'token_invalid'],
    ['a typ that is no word', {}, { typ: 7 }, 'token_invalid'],
    ['an unknown extension', {}, { crit: ['https://evil.example/ext'], 'https://evil.example/ext': 1 }, 'token_invalid'],
  ])('%s', async (_name, claims, header, code) => {
    const good = claimsOf(await service.sign(key, claims));
    expect(await codeOf(await signAnything(key, { alg: 'ES256', kid: 'k1', typ: 'at+jwt', ...header }, good))).toBe(code);
  });

  it('is accepted within 30 seconds of clock skew, not beyond', async () => {
    expect(await codeOf(await service.sign(key, { exp: now() - 20 }))).toBe('let in');
    expect(await codeOf(await service.sign(key, { exp: now() - 32 }))).toBe('token_expired');
    expect(await codeOf(await service.sign(key, { nbf: now() + 20 }))).toBe('let in');
    expect(await codeOf(await service.sign(key, { nbf: now() + 35 }))).toBe('token_invalid');
  });
});

describe('claims with prototype names', () => {
  it('have no effect', async () => {
    const body = `{"iss":${JSON.stringify(service.issuer)},"sub":"ulla","aud":"https://gate.example","exp":${now() + 60},"__proto__":{"roles":["admin"],"scope":"*:*:*"},"constructor":{"prototype":{"roles":["admin"]}}}`;
    const principal = await authenticator.authenticate(bearer(await signAnything(key, { alg: 'ES256', kid: 'k1' }, body)));
    expect(principal).toMatchObject({ subject: 'ulla', roles: [], permissions: new Set() });
    expect(({} as Record<string, unknown>)['roles']).toBeUndefined();
  });
});

describe('a token that is invalid whatever its signature', () => {
  it('is refused before anything is fetched or verified', async () => {
    await using fresh = await startOauthService([key]);
    const cold = createAuthenticator({ issuers: [settingsFor(fresh.issuer)], logger: silentLogger });
    const claims = claimsOf(await fresh.sign(key));
    const cases: [Record<string, unknown>, Record<string, unknown>][] = [
      [{ alg: 'none' }, {}],
      [{ alg: 'HS256' }, {}],
      [{ kid: ['k1'] }, {}],
      [{ crit: ['b64'], b64: false }, {}],
      [{ typ: 'logout+jwt' }, {}],
      [{}, { exp: null }],
      [{}, { nonce: 'n' }],
      [{}, { typ: 'Refresh' }],
      [{}, { iss: 'https://evil.example' }],
    ];
    for (const [header, change] of cases) {
      const token = await signAnything(key, { alg: 'ES256', kid: 'k1', ...header }, { ...claims, ...change });
      await expect(cold.authenticate(bearer(token)), JSON.stringify([header, change])).rejects.toMatchObject({ code: 'token_invalid' });
    }
    expect(fresh.hits.size).toBe(0);
    cold.close();
  });
});
