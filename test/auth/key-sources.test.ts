/** Signing keys from a URL, a PEM or a shared secret instead of discovery. No kind of key verifies tokens of another kind. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createSecretKey } from 'node:crypto';
import { exportPKCS8, exportSPKI, generateKeyPair, importJWK, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Authenticator, createAuthenticator } from '../../src/auth/authenticator.ts';
import { issuerSettings } from '../../src/auth/issuer-settings.ts';
import { issuerSpec, type IssuerSpecInput } from '../../src/auth/issuer-spec.ts';
import { audience, makeKey, type SigningKey, silentLogger } from './oauth-service.ts';

const secret = 'k7Jq2vX9pLr4TzWm8NbYc3HsDf6GaQe1';
let key: SigningKey;
let pem: string;
let url: string;
let body: unknown;
let hits: number;
let server: ReturnType<typeof createServer>;
let authenticator: Authenticator | null = null;

beforeEach(async () => {
  key = await makeKey('k1', 'RS256');
  pem = await exportSPKI((await importJWK(key.publicJwk, 'RS256')) as CryptoKey);
  hits = 0;
  server = createServer((_request, response) => {
    hits++;
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  authenticator?.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function open(...specs: Partial<IssuerSpecInput>[]): (token: string) => Promise<string> {
  authenticator?.close();
  const issuers = specs.map((spec) => issuerSettings(issuerSpec.parse({ issuer: url, preset: 'generic', audiences: [audience], ...spec })));
  const opened = createAuthenticator({ issuers, logger: silentLogger });
  authenticator = opened;
  return (text) =>
    Promise.resolve()
      .then(() => opened.verify(text))
      .then(
        (principal) => `${principal.subject} of ${principal.issuer}`,
        (thrown: { code: string }) => thrown.code,
      );
}

async function token(alg: string, signer: Parameters<SignJWT['sign']>[0], claims: Record<string, unknown> = {}): Promise<string> {
  const all = { iss: url, sub: 'ulla', aud: audience, exp: Math.floor(Date.now() / 1000) + 600, roles: ['user'], ...claims };
  return new SignJWT(Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)))
    .setProtectedHeader({ alg })
    .sign(signer);
}
const shared = (text: string) => createSecretKey(Buffer.from(text));

it('an address with a key set', async () => {
  body = { keys: [key.publicJwk] };
  const admit = open({ keys: { from: 'jwks', url: '/oauth2/jwks' } });
  expect(await admit(await token('RS256', key.privateKey))).toBe(`ulla of ${url}`);
  expect(hits).toBe(1);
});

describe('token_key of older Spring', () => {
  it('answers a public key in PEM', async () => {
    body = { alg: 'SHA256withRSA', value: pem };
    const admit = open({ keys: { from: 'token_key', url: '/oauth/token_key' }, issuer_claim: 'absent' });
    expect(await admit(await token('RS256', key.privateKey, { iss: undefined }))).toBe(`ulla of ${url}`);
  });

  it('a shared secret in a JWKS is refused, because its readers could forge tokens', async () => {
    body = { alg: 'HMACSHA256', value: secret };
    const admit = open({ keys: { from: 'token_key', url: '/oauth/token_key' } });
    expect(await admit(await token('HS256', shared(secret)))).toBe('token_invalid');
    expect(await admit(await token('RS256', key.privateKey))).toBe('auth_unavailable');
  });
});

describe('a PEM', () => {
  it('checks each algorithm of its kind, without a request', async () => {
    const admit = open({ keys: { from: 'pem', pem } });
    expect(await admit(await token('RS256', key.privateKey))).toBe(`ulla of ${url}`);
    expect(await admit(await token('RS256', (await makeKey('k2', 'RS256')).privateKey))).toBe('token_invalid');
    const other = await generateKeyPair('ES256');
    expect(await admit(await token('ES256', other.privateKey))).toBe('token_invalid');
    expect(hits).toBe(0);
  });

  it('never serves as a shared secret', async () => {
    const admit = open({ keys: { from: 'pem', pem } });
    for (const text of [pem, pem.trim()]) expect(await admit(await token('HS256', shared(text)))).toBe('token_invalid');
  });

  it('is refused when it is not a PEM, or a private key', async () => {
    const { privateKey } = await generateKeyPair('RS256', { extractable: true });
    for (const bad of ['hello', await exportPKCS8(privateKey)])
      expect(() => open({ keys: { from: 'pem', pem: bad } })).toThrow(/^keys: this is not a public key/);
  });
});

describe('a shared secret', () => {
  it('checks HMAC and nothing else', async () => {
    const admit = open({ keys: { from: 'secret', secret } });
    for (const alg of ['HS256', 'HS384', 'HS512']) expect(await admit(await token(alg, shared(secret)))).toBe(`ulla of ${url}`);
    expect(await admit(await token('HS256', shared(`${secret}x`)))).toBe('token_invalid');
    expect(await admit(await token('RS256', key.privateKey))).toBe('token_invalid');
  });

  it.each([
    ['short', 'k7Jq2vX9pLr4'],
    ['shipped with a back end', 'abcdefghijklmnopqrstuvwxyz'],
    ['published with a tutorial', 'A-String-Secret-At-Least-256-Bits-Long'],
    ['a pattern', 'abab'.repeat(20)],
  ])('is refused when it is %s, without a look at the secret', (_name, weak) => {
    let message = '';
    try {
      open({ keys: { from: 'secret', secret: weak } });
    } catch (thrown) {
      ({ message } = thrown as Error);
    }
    expect(message).toMatch(/^keys: .*openssl rand/);
    expect(message).not.toContain(weak);
  });
});

describe('several issuers', () => {
  it('each counts for its own tokens only', async () => {
    const admit = open(
      { issuer: 'https://one.example', keys: { from: 'pem', pem } },
      { issuer: 'https://two.example', keys: { from: 'secret', secret } },
    );
    expect(await admit(await token('RS256', key.privateKey, { iss: 'https://one.example' }))).toBe('ulla of https://one.example');
    expect(await admit(await token('HS256', shared(secret), { iss: 'https://two.example' }))).toBe('ulla of https://two.example');
    expect(await admit(await token('RS256', key.privateKey, { iss: 'https://two.example' }))).toBe('token_invalid');
    expect(await admit(await token('HS256', shared(secret), { iss: 'https://one.example' }))).toBe('token_invalid');
    expect(await admit(await token('RS256', key.privateKey, { iss: 'https://three.example' }))).toBe('token_invalid');
  });

  it('a JWT that names its issuer is never shown to the service of the opaque ones', async () => {
    body = { active: true, sub: 'opal', aud: audience };
    const opaque: Partial<IssuerSpecInput> = {
      tokens: 'opaque',
      client: { id: 'pailou', secret: 'x' },
      lookups: [{ kind: 'introspection', url: '/introspect' }],
    };
    const admit = open({ issuer: 'https://one.example', keys: { from: 'pem', pem } }, opaque);
    expect(await admit(await token('RS256', key.privateKey, { iss: 'https://three.example' }))).toBe('token_invalid');
    expect(await admit(await token('RS256', (await makeKey('k2', 'RS256')).privateKey, { iss: 'https://one.example' }))).toBe(
      'token_invalid',
    );
    expect(hits).toBe(0);
    expect(await admit('opaque-1')).toBe(`opal of ${url}`);
    expect(await admit(await token('RS256', key.privateKey, { iss: undefined }))).toBe(`opal of ${url}`);
    expect(hits).toBe(2);
  });
});
