/** Opaque tokens of a real OAuth2 service: introspected, looked up, and void as soon as they are revoked. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { type Authenticator, createAuthenticator } from '../../src/auth/authenticator.ts';
import { type IdentityService, startDevelopmentIdentity } from '../../src/auth/development/identity-service.ts';
import { developmentClient, personGrant } from '../../src/auth/development/development-token.ts';
import { issuerSettings } from '../../src/auth/issuer-settings.ts';
import { issuerSpec } from '../../src/auth/issuer-spec.ts';
import { silentLogger } from './oauth-service.ts';

let identity: IdentityService;
let folder: string;
let authenticator: Authenticator | null = null;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pailou-opaque-'));
  const gatewayUrl = 'http://127.0.0.1:8000';
  identity = await startDevelopmentIdentity({
    host: '127.0.0.1',
    port: 0,
    dataDir: folder,
    mode: 'development',
    gatewayUrl,
    logger: silentLogger,
  });
});
afterEach(() => {
  vi.useRealTimers();
  authenticator?.close();
});
afterAll(async () => {
  await identity.close();
  await rm(folder, { recursive: true });
});

const post = async (path: string, form: Record<string, string>) =>
  (await fetch(`${identity.issuer}${path}`, { method: 'POST', body: new URLSearchParams(form) })).text();

async function opaqueToken(person: string): Promise<string> {
  const body = await post('/token', { grant_type: personGrant, client_id: developmentClient, person, opaque: 'true' });
  const token = (JSON.parse(body) as { access_token: string }).access_token;
  expect(token.split('.')).toHaveLength(1);
  return token;
}

function open(lookups: object[]): Authenticator {
  const spec = issuerSpec.parse({
    issuer: identity.issuer,
    preset: 'generic',
    tokens: 'opaque',
    allowed_clients: [developmentClient],
    client: { id: 'development-service', secret: 'development-service' },
    lookups,
  });
  authenticator = createAuthenticator({ issuers: [issuerSettings(spec)], logger: silentLogger });
  return authenticator;
}

it('introspection returns the subject, userinfo the permissions', async () => {
  const principal = await open([{ kind: 'introspection' }, { kind: 'userinfo' }]).verify(await opaqueToken('developer'));
  expect(principal).toMatchObject({ subject: 'developer', roles: ['developer'], tenant: 'default', client: developmentClient });
  expect(principal.permissions.size).toBe(9);
});

it('introspection alone returns roles but no codes, so there are none', async () => {
  const principal = await open([{ kind: 'introspection' }]).verify(await opaqueToken('admin'));
  expect(principal).toMatchObject({ subject: 'admin', roles: ['admin'] });
  expect(principal.permissions.size).toBe(0);
});

it('a revoked token is refused within a minute', async () => {
  const now = Date.now();
  vi.useFakeTimers({ toFake: ['Date'], now });
  const opened = open([{ kind: 'introspection' }]);
  const token = await opaqueToken('user');
  expect(await opened.verify(token)).toMatchObject({ subject: 'user' });
  await post('/token/revocation', { token, client_id: developmentClient });
  vi.setSystemTime(now + 61_000);
  await expect(Promise.resolve().then(() => opened.verify(token))).rejects.toMatchObject({ code: 'token_invalid' });
});

it('an unknown token is refused, and an unknown introspection client denies access', async () => {
  await expect(open([{ kind: 'introspection' }]).verify('invented')).rejects.toMatchObject({ code: 'token_invalid' });
  const spec = issuerSpec.parse({
    issuer: identity.issuer,
    preset: 'generic',
    tokens: 'opaque',
    allowed_clients: [developmentClient],
    client: { id: 'development-service', secret: 'wrong' },
    lookups: [{ kind: 'introspection' }],
  });
  authenticator?.close();
  authenticator = createAuthenticator({ issuers: [issuerSettings(spec)], logger: silentLogger });
  await expect(authenticator.verify(await opaqueToken('user'))).rejects.toMatchObject({ code: 'auth_unavailable' });
});
