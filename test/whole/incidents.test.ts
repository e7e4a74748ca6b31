/**
 * Published incidents of other gateways, tried over HTTP; each test is named after its incident.
 * Tested elsewhere: MCP lists that ignore the narrower rights of a credential (keys.test.ts, "reaches only what it was given"); a key that
 * makes keys (keys.test.ts, "never reaches /api"); rights that outlive a grant (access.test.ts) or a token's key (auth/keys.test.ts);
 * sessions that outlive a sign-out (sign-in.test.ts); cached answers shared across teams (cache.test.ts, "never crosses to another
 * tenant"); ids of other tenants (tenant-isolation.test.ts); addresses within (outbound/, bad-input.test.ts, pictures.test.ts, for issuers
 * auth/issuers-file.test.ts); published default secrets (auth/issuers-file.test.ts); create and test of stdio servers (access.test.ts).
 */
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operationsOf } from './id-parameters.ts';
import { canaries, chat, chief, codeOf, user, type Scene, setScene } from './incident-scene.ts';

let scene: Scene;
let companies: Scene['companies'];
let vendor: Scene['vendor'];

beforeAll(async () => {
  scene = await setScene();
  ({ companies, vendor } = scene);
});
afterAll(() => scene[Symbol.asyncDispose]());

/** Sends raw bytes, for requests that no client sends. */
function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(companies.gateway.url).port), '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.on('data', (data) => (answer += data.toString()));
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}

describe('LiteLLM CVE-2024-6587, Portkey: a caller who names the address gets the vendor’s key', () => {
  it('redirects no call and no key, by body, header or query', async () => {
    let hits = 0;
    const listener = createServer((_request, response) => {
      hits++;
      response.end('{}');
    });
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/v1`;
    const names = ['api_base', 'base_url', 'baseURL', 'api_url', 'endpoint', 'custom_host', 'azure_endpoint', 'proxy', 'provider', 'host'];
    for (const body of [...names.map((name) => chat({ [name]: url })), chat({ gateway: {}, litellm_params: { api_base: url } })])
      await companies.as(user, 'POST', '/v1/chat/completions', body);
    for (const name of ['x-portkey-custom-host', 'x-base-url', 'x-api-base', 'x-forwarded-host', 'x-upstream', 'api-base', 'forwarded'])
      await companies.as(user, 'POST', '/v1/chat/completions', chat(), { [name]: url });
    await companies.as(user, 'POST', `/v1/chat/completions?api_base=${encodeURIComponent(url)}`, chat());
    await new Promise((resolve) => listener.close(resolve));
    expect(hits).toBe(0);
    expect(vendor.requests.length).toBeGreaterThan(10);
    for (const { path, headers } of vendor.requests) {
      expect(path).toBe('/v1/chat/completions');
      expect(headers.authorization).toBe(`Bearer ${canaries.vendor}`);
      expect(Object.values(headers).join(' ')).not.toContain(url);
    }
  });

  it('forwards no credential of the caller, and uses none of theirs for the vendor', async () => {
    const before = vendor.requests.length;
    await companies.as(user, 'POST', '/v1/chat/completions', chat(), {
      'api-key': 'mine',
      'openai-organization': 'mine',
      cookie: 'a=mine',
    });
    const { headers } = vendor.requests[before] ?? { headers: {} };
    expect(Object.values(headers).join(' ')).not.toMatch(/mine|eyJ/);
  });
});

describe('LiteLLM CVE-2026-42208: SQL in a key, before authentication', () => {
  it('is an invalid credential, answered quickly, without harm', async () => {
    const { id, key } = await companies.keyOf(user);
    const injections = [
      "' or 1=1--",
      "'; drop table llm_config; --",
      "' union select * from llm_person --",
      '%',
      '_'.repeat(43),
      '\\',
      '$1',
      '"',
    ];
    for (const injection of injections) {
      const credentials = [injection, `pailou_${injection}`, `pailou_${id}_${injection}`, `${key}${injection}`, key.replace(id, injection)];
      for (const credential of credentials) {
        const refused = await scene.bare('POST', '/v1/chat/completions', chat(), { 'x-api-key': credential });
        expect([refused.status, codeOf(refused)], credential).toEqual([401, 'token_invalid']);
      }
    }
    expect((await companies.with(key, 'POST', '/v1/chat/completions', chat())).status).toBe(200);
  });
});

describe('CVE-2026-48710: an address made of the Host header', () => {
  it('opens nothing: not by Host, an absolute address, or headers with another path', async () => {
    const path = '/api/providers';
    const hosts = ['a/livez?x=', 'x/../livez', '127.0.0.1/livez', '[', '@/livez'];
    for (const host of hosts) {
      const answer = await raw(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      expect(answer, host).toMatch(/^HTTP\/1\.1 40[01]/);
    }
    expect(await raw(`GET http://x/livez/..${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)).toMatch(/^HTTP\/1\.1 40[014]/);
    for (const [name, value] of [
      ['x-original-url', '/livez'],
      ['x-rewrite-url', '/livez'],
      ['x-forwarded-prefix', '/livez'],
      ['x-forwarded-uri', '/livez'],
    ] as const) {
      expect((await scene.bare('GET', path, undefined, { [name]: value })).status, name).toBe(401);
      expect((await scene.bare('GET', '/livez', undefined, { [name]: path })).json, name).toEqual({ status: 'ok' });
    }
    for (const spelling of [
      '/API/providers',
      '//api/providers',
      '/api//providers',
      '/api/providers/',
      '/./api/providers',
      '/%61pi/providers',
      '/api/providers;x',
      '/api%2fproviders',
    ])
      expect((await raw(`GET ${spelling} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)).slice(9, 12), spelling).toMatch(/401|404/);
  });

  it('is not changed by a header that names another method', async () => {
    for (const name of ['x-http-method-override', 'x-http-method', 'x-method-override'])
      expect((await companies.as(chief, 'GET', '/api/models/gpt', undefined, { [name]: 'DELETE' })).status).toBe(200);
    expect((await companies.as(chief, 'POST', '/api/models/gpt?_method=DELETE', {})).status).not.toBe(204);
    expect((await companies.as(chief, 'GET', '/api/models/gpt')).status).toBe(200);
  });
});

describe('LiteLLM CVE-2026-35030: a cache keyed by the first letters of a token', () => {
  it('distinguishes two people whose tokens have a common prefix', async () => {
    const { service, signer } = companies;
    const sign = (sub: string, roles: string[]) =>
      service.sign(signer, { jti: 'same', sub, roles, tenant_id: 'default', scope: 'llm:*:*' });
    const [one, two] = await Promise.all([sign('ursula-1', ['admin']), sign('ursula-2', ['user'])]);
    let alike = 0;
    while (one[alike] === two[alike]) alike++;
    expect(alike).toBeGreaterThan(100);
    for (let round = 0; round < 3; round++) {
      expect((await companies.with(one, 'GET', '/api/me')).json).toMatchObject({ subject: 'ursula-1', roles: ['admin'] });
      expect((await companies.with(two, 'GET', '/api/me')).json).toMatchObject({ subject: 'ursula-2', roles: ['user'] });
      // Both tokens are valid and cached.
      const swapped = `${one.slice(0, one.lastIndexOf('.'))}${two.slice(two.lastIndexOf('.'))}`;
      for (const changed of [swapped, one.slice(0, -20), `${one.slice(0, -10)}AAAAAAAAAA`, `${one}.x`, one.slice(0, 100)])
        expect((await companies.with(changed, 'GET', '/api/me')).status).toBe(401);
    }
  });
});

describe('Bifrost #518, mcp-bridge, an Envoy-based MCP gateway: no authentication, or a default password', () => {
  it('only these addresses answer without a credential, and none accepts a published one', async () => {
    const open = ['/', '/livez', '/readyz', '/healthz', '/auth/login', '/auth/callback', '/auth/cli'];
    // The body of each is the credential: a key, and a logout token of the issuer. Each reports its own error.
    const ownWay = ['/auth/exchange', '/auth/backchannel-logout'];
    const operations = operationsOf((await scene.bare('GET', '/openapi.json')).json);
    const closed = operations.filter(({ path }) => !open.includes(path) && !ownWay.includes(path) && !path.startsWith('/.well-known/'));
    expect(closed.length).toBeGreaterThan(70);
    const known = [
      'secret-api-key',
      'sk-1234',
      '123456',
      'admin',
      'root',
      'master',
      'test',
      'pailou',
      'changeme',
      'Bearer',
      'null',
      'undefined',
    ];
    for (const { method, path } of closed) {
      const address = path.replaceAll(/\{.+?\}/g, 'x');
      const body = /^(POST|PUT)$/.test(method) ? {} : undefined;
      const answer = await scene.bare(method, address, body);
      expect([answer.status, codeOf(answer)], `${method} ${path}`).toEqual([
        401,
        path.startsWith('/v1/messages') ? 'authentication_error' : 'token_missing',
      ]);
      expect(answer.headers.get('www-authenticate'), path).toMatch(/^Bearer /);
      for (const word of known.slice(0, path.startsWith('/api/providers') || path === '/mcp' ? known.length : 1)) {
        for (const headers of [{ authorization: `Bearer ${word}` }, { 'x-api-key': word }] as Record<string, string>[])
          expect((await scene.bare(method, address, body, headers)).status, `${method} ${path} ${word}`).toBe(401);
      }
    }
    for (const headers of [{ authorization: 'Basic cm9vdDoxMjM0NTY=' }, { cookie: 'token=admin' }, { 'secret-api-key': 'x' }] as Record<
      string,
      string
    >[])
      expect((await scene.bare('GET', '/api/providers', undefined, headers)).status).toBe(401);
    const token = await companies.tokenOf(chief);
    for (const name of ['access_token', 'token', 'api_key', 'key'])
      expect((await scene.bare('GET', `/api/providers?${name}=${token}`)).status).toBe(401);
  });
});

describe('semantic-router #2134, and headers that a proxy would set: a tenant or a person by header', () => {
  it('does not change the caller', async () => {
    const names = [
      'x-tenant-id',
      'x-tenant',
      'x-org-id',
      'x-user',
      'x-user-id',
      'x-user-roles',
      'x-roles',
      'x-forwarded-user',
      'x-remote-user',
      'remote-user',
      'x-auth-request-user',
      'x-consumer-username',
      'x-amzn-oidc-identity',
      'x-pailou-tenant',
      'x-admin',
      'x-internal',
    ];
    const asIs = (await companies.as(user, 'GET', '/api/me')).json as object;
    for (const value of ['theirs', 'admin', 'chief-of-default', 'true']) {
      const headers = Object.fromEntries(names.map((name) => [name, value]));
      expect((await companies.as(user, 'GET', '/api/me', undefined, headers)).json).toEqual(asIs);
      expect((await companies.as(user, 'GET', '/api/limits', undefined, headers)).status).toBe(403);
      expect((await scene.bare('GET', '/api/me', undefined, headers)).status).toBe(401);
    }
    for (const address of ['127.0.0.1', '10.0.0.1', '::1'])
      expect(
        (await scene.bare('GET', '/api/me', undefined, { 'x-forwarded-for': address, 'x-real-ip': address, forwarded: `for=${address}` }))
          .status,
      ).toBe(401);
  });
});
