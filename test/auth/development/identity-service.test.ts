/** The development identity service over HTTP, as an OAuth2 client uses it. */
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, request as httpRequest, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createAuthenticator } from '../../../src/auth/authenticator.ts';
import { fetchDevelopmentToken } from '../../../src/auth/development/development-token.ts';
import { type IdentityOptions, type IdentityService, startDevelopmentIdentity } from '../../../src/auth/development/identity-service.ts';
import { developmentIssuer, issuerPresets } from '../../../src/auth/issuer-presets.ts';
import { permissionCodes } from '../../../src/types/access.ts';
import { bearer, silentLogger } from '../oauth-service.ts';

const gatewayUrl = 'http://127.0.0.1:8000';
const personGrant = 'urn:pailou:params:oauth:grant-type:development-person';
let dataDir: string;
let service: IdentityService;
let metadata: Record<string, string>;
const spoken: string[] = [];

const optionsFor = (changes: Partial<IdentityOptions> = {}): IdentityOptions => ({
  host: '127.0.0.1',
  port: 0,
  dataDir,
  mode: 'development',
  gatewayUrl,
  logger: silentLogger,
  ...changes,
});

beforeAll(async () => {
  for (const method of ['log', 'info', 'warn', 'error'] as const)
    vi.spyOn(console, method).mockImplementation((...words: unknown[]) => void spoken.push(words.join(' ')));
  dataDir = await mkdtemp(join(tmpdir(), 'pailou-identity-'));
  service = await startDevelopmentIdentity(optionsFor());
  metadata = (await (await fetch(`${service.issuer}/.well-known/openid-configuration`)).json()) as Record<string, string>;
});
afterAll(async () => {
  await service.close();
  vi.restoreAllMocks();
  await rm(dataDir, { recursive: true, force: true });
});

async function post(
  url: string,
  form: Record<string, string>,
  authorization?: string,
): Promise<{ status: number; json: Record<string, unknown> }> {
  const headers: Record<string, string> = { 'content-type': 'application/x-www-form-urlencoded' };
  if (authorization !== undefined) headers['authorization'] = authorization;
  const response = await fetch(url, { method: 'POST', headers, body: new URLSearchParams(form) });
  const text = await response.text();
  return { status: response.status, json: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
}
const basic = `Basic ${Buffer.from('development-service:development-service').toString('base64')}`;
const opaqueToken = async (person: string): Promise<string> => {
  const form = { grant_type: personGrant, client_id: 'pailou-development', person, opaque: 'true' };
  return String((await post(metadata['token_endpoint']!, form)).json['access_token']);
};

describe('the development identity service', () => {
  it('publishes a standard discovery document', async () => {
    expect(metadata).toMatchObject({ issuer: service.issuer });
    for (const name of ['token_endpoint', 'jwks_uri', 'userinfo_endpoint', 'introspection_endpoint', 'revocation_endpoint'])
      expect(metadata[name], name).toMatch(`${service.issuer}/`);
    expect(metadata['grant_types_supported']).toEqual(expect.arrayContaining(['client_credentials', personGrant]));
    const { keys } = (await (await fetch(metadata['jwks_uri']!)).json()) as { keys: Record<string, string>[] };
    expect(keys).toEqual([expect.objectContaining({ kty: 'EC', use: 'sig', alg: 'ES256' })]);
    expect(keys[0]).not.toHaveProperty('d');
  });

  it.each([
    ['admin', 'default', 'admin', 9],
    ['developer', 'default', 'developer', 9],
    ['user', 'default', 'user', 6],
    ['viewer', 'default', 'viewer', 3],
    ['foreigner', 'other', 'admin', 9],
    ['admin@branch-a', 'branch-a', 'admin', 9],
    ['user@branch-a', 'branch-a', 'user', 6],
  ])('gives %s an access token for the gateway', async (person, tenant, role, codes) => {
    const token = await fetchDevelopmentToken(service.issuer, person);
    expect(decodeProtectedHeader(token)).toMatchObject({ alg: 'ES256', typ: 'at+jwt' });
    expect(decodeJwt(token)).toMatchObject({
      iss: service.issuer,
      aud: gatewayUrl,
      sub: person,
      username: person,
      tenant_id: tenant,
      roles: [role],
    });
    const authenticator = createAuthenticator({ issuers: [developmentIssuer(service.issuer, gatewayUrl)], logger: silentLogger });
    const principal = await authenticator.authenticate(bearer(token));
    authenticator.close();
    expect(principal).toMatchObject({ subject: person, tenant, roles: [role], client: 'pailou-development' });
    expect(principal.permissions.size).toBe(codes);
  });

  it('gives a service account a token by client_credentials', async () => {
    const answer = await post(metadata['token_endpoint']!, { grant_type: 'client_credentials', scope: permissionCodes.join(' ') }, basic);
    expect(answer.status, JSON.stringify(answer.json)).toBe(200);
    const authenticator = createAuthenticator({ issuers: [developmentIssuer(service.issuer, gatewayUrl)], logger: silentLogger });
    const principal = await authenticator.authenticate(bearer(String(answer.json['access_token'])));
    authenticator.close();
    expect(principal).toMatchObject({
      subject: 'development-service',
      client: 'development-service',
      tenant: 'default',
      roles: ['service'],
    });
    expect(principal.permissions.size).toBe(9);
    const wrong = `Basic ${Buffer.from('development-service:guess').toString('base64')}`;
    expect((await post(metadata['token_endpoint']!, { grant_type: 'client_credentials' }, wrong)).json).toMatchObject({
      error: 'invalid_client',
    });
  });

  it('answers userinfo for opaque tokens and for the gateway’s own, and refuses others', async () => {
    const ask = async (token: string): Promise<Response> => fetch(metadata['userinfo_endpoint']!, { headers: bearer(token) });
    for (const token of [await opaqueToken('user'), await fetchDevelopmentToken(service.issuer, 'user')]) {
      const answer = await ask(token);
      expect(answer.status).toBe(200);
      expect(await answer.json()).toMatchObject({ sub: 'user', roles: ['user'], tenant_id: 'default' });
    }
    const token = await fetchDevelopmentToken(service.issuer, 'user');
    for (const bad of ['nonsense', `${token.slice(0, -4)}AAAA`]) {
      const answer = await ask(bad);
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toContain('invalid_token');
    }
  });

  it('serves a gateway that looks people up', async () => {
    const settings = {
      ...developmentIssuer(service.issuer, gatewayUrl),
      lookup: 'userinfo' as const,
      mapping: issuerPresets['sas']!.mapping,
    };
    const authenticator = createAuthenticator({ issuers: [settings], logger: silentLogger });
    const principal = await authenticator.authenticate(bearer(await fetchDevelopmentToken(service.issuer, 'developer')));
    authenticator.close();
    expect(principal).toMatchObject({ roles: ['developer'], tenant: 'default', username: 'developer' });
  });

  it('introspects and revokes opaque tokens', async () => {
    const token = await opaqueToken('viewer');
    const introspect = async (): Promise<unknown> => (await post(metadata['introspection_endpoint']!, { token }, basic)).json;
    expect(await introspect()).toMatchObject({ active: true, sub: 'viewer', client_id: 'pailou-development' });
    const revoked = await post(metadata['revocation_endpoint']!, { token, client_id: 'pailou-development' });
    expect(revoked.status).toBe(200);
    expect(await introspect()).toEqual({ active: false });
    expect((await fetch(metadata['userinfo_endpoint']!, { headers: bearer(token) })).status).toBe(401);
  });

  it('has nobody in a tenant whose name is none, and nobody twice', async () => {
    for (const person of ['admin@', 'admin@a@b', 'admin@a b', 'root@a', 'admin@default'])
      await expect(fetchDevelopmentToken(service.issuer, person), person).rejects.toMatchObject({ code: 'auth_unavailable' });
  });

  it('is waited for while it is busy, and a frozen one is not taken for one that was never started', async () => {
    const held: ServerResponse[] = [];
    const slow = createServer((_request, response) => void held.push(response)).listen(0, '127.0.0.1');
    await once(slow, 'listening');
    const address = `http://127.0.0.1:${(slow.address() as AddressInfo).port}`;
    await expect(fetchDevelopmentToken(address, 'admin', 100)).rejects.toMatchObject({
      message: expect.stringMatching(/did not answer within 0\.1 s/),
    });
    const waiting = fetchDevelopmentToken(address, 'admin');
    await once(slow, 'request');
    held.at(-1)!.end(JSON.stringify({ access_token: 'late' }));
    expect(await waiting).toBe('late');
    slow.closeAllConnections();
    slow.close();
  });

  it('lists its people when an unknown one is requested', async () => {
    await expect(fetchDevelopmentToken(service.issuer, 'root')).rejects.toMatchObject({
      message: expect.stringContaining('admin, developer, user, viewer, foreigner'),
    });
  });

  it('answers only on loopback names, so that no web page can reach it by a name of its own', async () => {
    const { port } = new URL(service.issuer);
    const status = async (host: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        httpRequest({ host: '127.0.0.1', port, path: '/jwks', headers: { host } }, (response) => {
          response.resume();
          resolve(response.statusCode);
        })
          .on('error', reject)
          .end();
      });
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, '[::1]']) expect(await status(host), host).toBe(200);
    for (const host of ['evil.example', `127.0.0.1.evil.example:${port}`, 'localhost.evil', `evil.example:${port}`])
      expect(await status(host), host).toBe(403);
  });

  it('sends nothing to web pages of other origins, so that none can fetch a token', async () => {
    const body = new URLSearchParams({ grant_type: personGrant, client_id: 'pailou-development', person: 'admin' });
    const { port } = new URL(service.issuer);
    const ask = async (origin: string): Promise<Response> =>
      fetch(metadata['token_endpoint']!, { method: 'POST', headers: { origin }, body });
    for (const origin of ['https://evil.example', 'null', 'http://localhost.evil.example', `http://evil.example:${port}`, 'file://']) {
      const answer = await ask(origin);
      expect(answer.status, origin).toBe(403);
      expect(answer.headers.get('access-control-allow-origin'), origin).toBeNull();
    }
    expect((await ask('http://localhost:5173')).status).toBe(200);
  });

  it('answers unexpected browser requests without external content', async () => {
    for (const path of ['/', '/auth', '/auth?client_id=pailou-development', '/interaction/unknown', '/me', '/token']) {
      const answer = await fetch(service.issuer + path, { headers: { accept: 'text/html' } });
      expect(answer.status, path).toBeGreaterThanOrEqual(400);
      expect(await answer.text(), path).not.toMatch(/https?:/);
    }
  });

  it('prints nothing on the console, whatever is requested', () => {
    expect(spoken).toEqual([]);
  });
});

describe('its start', () => {
  it('is refused in production and on any address that other machines can reach', async () => {
    await expect(startDevelopmentIdentity(optionsFor({ mode: 'production' }))).rejects.toThrow(/PAILOU_OAUTH_ISSUER/);
    for (const host of ['0.0.0.0', '::', '10.0.0.1', 'localhost'])
      await expect(startDevelopmentIdentity(optionsFor({ host }))).rejects.toThrow(/loopback only/);
  });

  it('on a taken port names the setting', async () => {
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(0, '127.0.0.1', resolve));
    const { port } = squatter.address() as AddressInfo;
    await expect(startDevelopmentIdentity(optionsFor({ port }))).rejects.toThrow(new RegExp(`${port}.*taken.*PAILOU_IDENTITY_PORT=`));
    await new Promise((resolve) => squatter.close(resolve));
  });

  it('stores its key, readable only by its owner, so that tokens stay valid', async () => {
    const first = await startDevelopmentIdentity(optionsFor());
    const token = await fetchDevelopmentToken(first.issuer, 'user');
    await first.close();
    const again = await startDevelopmentIdentity(optionsFor({ port: Number(new URL(first.issuer).port) }));
    const authenticator = createAuthenticator({ issuers: [developmentIssuer(again.issuer, gatewayUrl)], logger: silentLogger });
    expect(await authenticator.authenticate(bearer(token))).toMatchObject({ subject: 'user' });
    authenticator.close();
    await again.close();
    expect((await stat(join(dataDir, 'development-identity.json'))).mode & 0o777).toBe(0o600);
  });

  it('twice at once in a new folder ends with one key', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pailou-identity-'));
    const both = await Promise.all([0, 1].map(() => startDevelopmentIdentity(optionsFor({ dataDir: join(folder, 'new') }))));
    const kids = await Promise.all(
      both.map(async ({ issuer }) => ((await (await fetch(`${issuer}/jwks`)).json()) as { keys: { kid: string }[] }).keys[0]!.kid),
    );
    expect(kids[0]).toBe(kids[1]);
    for (const each of both) await each.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('with a damaged key says which file to delete, and does not overwrite it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pailou-identity-'));
    const path = join(folder, 'development-identity.json');
    for (const damage of ['', '{"kty":"EC"', '[]', '{"kty":"EC"}']) {
      await writeFile(path, damage);
      await expect(startDevelopmentIdentity(optionsFor({ dataDir: folder }))).rejects.toThrow(path);
      expect(await readFile(path, 'utf8')).toBe(damage);
    }
    await rm(folder, { recursive: true, force: true });
  });
});

describe('fetching a development token', () => {
  it('names the command to start when nothing answers', async () => {
    await expect(fetchDevelopmentToken('http://127.0.0.1:9', 'user')).rejects.toMatchObject({
      code: 'auth_unavailable',
      message: expect.stringContaining('pailou start'),
    });
  });
});
