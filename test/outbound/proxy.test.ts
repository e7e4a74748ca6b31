import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createOutboundClient, type OutboundClient } from '../../src/outbound/client.ts';
import { readEnvironmentProxies } from '../../src/outbound/environment-proxy.ts';
import { createOutboundGuard, type GuardOptions } from '../../src/outbound/guard.ts';
import { type ProxyServer, readProxy } from '../../src/types/proxy.ts';
import { type ProxyOptions, startHttpProxy, startSocksProxy, type TestProxy } from './proxy-servers.ts';
import { certificate, privateKey } from './test-certificate.ts';

const answer: RequestListener = (request, response) => {
  response.end(JSON.stringify({ path: request.url, host: request.headers.host, proxy: request.headers['proxy-authorization'] ?? null }));
};
const plain: Server = createServer(answer);
const secure = createTlsServer({ cert: certificate, key: privateKey }, answer);
let plainPort: number;
let securePort: number;
const trusted = getCACertificates('default');

beforeAll(async () => {
  setDefaultCACertificates([...trusted, certificate]);
  for (const server of [plain, secure]) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
  plainPort = (plain.address() as AddressInfo).port;
  securePort = (secure.address() as AddressInfo).port;
});
afterAll(() => {
  setDefaultCACertificates(trusted);
  for (const server of [plain, secure]) {
    server.closeAllConnections();
    server.close();
  }
});

const cleanups: (() => PromiseLike<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

function clientBy(proxy: ProxyServer | undefined, guard: GuardOptions = { allow: ['127.0.0.0/8'] }): OutboundClient {
  if (proxy === undefined) throw new Error('not a proxy');
  const client = createOutboundClient(createOutboundGuard(guard), {
    proxyOf: () => proxy,
    proxyGuard: createOutboundGuard({ allow: ['127.0.0.0/8'] }),
  });
  cleanups.push(() => client.close());
  return client;
}

async function proxyOf(kind: 'http' | 'socks5', options: ProxyOptions = {}): Promise<TestProxy & { readonly server: ProxyServer }> {
  const proxy = await (kind === 'http' ? startHttpProxy : startSocksProxy)(options);
  cleanups.push(() => proxy[Symbol.asyncDispose]());
  const server = readProxy(`${kind}://${options.login === undefined ? '' : `${options.login}@`}127.0.0.1:${proxy.port}`);
  if (server === undefined) throw new Error('not a proxy');
  return { ...proxy, server };
}

async function ask(client: OutboundClient, url: string): Promise<unknown> {
  const { body } = await client.send({ method: 'GET', url, headers: {} });
  const parts: Buffer[] = [];
  for await (const part of body) parts.push(part);
  return JSON.parse(Buffer.concat(parts).toString());
}

describe.each(['http', 'socks5'] as const)('a proxy of kind %s', (kind) => {
  test.each([{}, { login: 'pailou:s3cret' }])('carries calls and fetches to names that only it resolves (%o)', async (options) => {
    const proxy = await proxyOf(kind, options);
    const client = clientBy(proxy.server);
    const secureUrl = `https://vendor.test:${securePort}/v1?a=1`;
    const plainUrl = `http://vendor.test:${plainPort}/v1?a=1`;
    expect(await ask(client, secureUrl)).toEqual({ path: '/v1?a=1', host: `vendor.test:${securePort}`, proxy: null });
    expect(await ask(client, plainUrl)).toEqual({ path: '/v1?a=1', host: `vendor.test:${plainPort}`, proxy: null });
    expect(await (await client.fetch(secureUrl)).json()).toMatchObject({ path: '/v1?a=1' });
    expect(await (await client.fetch(plainUrl)).json()).toMatchObject({ path: '/v1?a=1' });
    const wanted =
      kind === 'http'
        ? [`CONNECT vendor.test:${securePort}`, `GET http://vendor.test:${plainPort}/v1?a=1`]
        : [`SOCKS vendor.test:${securePort}`, `SOCKS vendor.test:${plainPort}`];
    expect(new Set(proxy.seen)).toEqual(new Set(wanted));
  });

  test.each(['http', 'https'])('that refuses or wants a login fails the call to %s and names the proxy', async (protocol) => {
    const url = `${protocol}://vendor.test:${protocol === 'http' ? plainPort : securePort}/`;
    const locked = await proxyOf(kind, { login: 'pailou:s3cret' });
    const wrong = readProxy(`${kind}://pailou:wrong@127.0.0.1:${locked.port}`);
    for (const server of [wrong, readProxy(`${kind}://127.0.0.1:${locked.port}`)]) {
      const failed = clientBy(server).send({ method: 'GET', url, headers: {} });
      await expect(failed).rejects.toMatchObject({ code: 'upstream_unavailable', details: { code: 'PROXY_LOGIN' } });
      await expect(failed).rejects.toThrow(/proxy/);
    }
    if (kind === 'http' && protocol === 'http') return;
    const closed = await proxyOf(kind, { refuses: kind === 'http' ? 403 : 2 });
    const refused = clientBy(closed.server).send({ method: 'GET', url, headers: {} });
    await expect(refused).rejects.toMatchObject({ code: 'upstream_unavailable', details: { code: 'PROXY_REFUSED' } });
  });

  test('that nobody serves is told apart from a vendor that nobody serves', async () => {
    const proxy = await proxyOf(kind);
    await proxy[Symbol.asyncDispose]();
    const failed = clientBy(proxy.server).send({ method: 'GET', url: 'https://vendor.test/', headers: {} });
    await expect(failed).rejects.toMatchObject({ code: 'upstream_unavailable', details: { code: 'PROXY_UNREACHABLE' } });
  });

  test.each([
    'http://10.1.2.3/',
    'https://10.1.2.3/',
    'http://169.254.169.254/',
    'https://metadata.google.internal/',
    'https://localhost/',
  ])('is not asked for %s, which the guard refuses', async (url) => {
    const proxy = await proxyOf(kind, { names: { '10.1.2.3': '127.0.0.1', '169.254.169.254': '127.0.0.1' } });
    const client = clientBy(proxy.server, { allow: [] });
    await expect(client.send({ method: 'GET', url, headers: {} })).rejects.toMatchObject({ code: 'upstream_unavailable' });
    await expect(client.fetch(url)).rejects.toThrow();
    expect(proxy.seen).toEqual([]);
  });

  test('is asked for the checked address by a guard that trusts no name', async () => {
    const proxy = await proxyOf(kind);
    const client = clientBy(proxy.server, { allow: ['127.0.0.0/8'], pinned: true });
    expect(await ask(client, `http://localhost:${plainPort}/`)).toMatchObject({ host: `localhost:${plainPort}` });
    expect(await ask(client, `https://localhost:${securePort}/`)).toMatchObject({ host: `localhost:${securePort}` });
    const word = kind === 'http' ? 'CONNECT' : 'SOCKS';
    expect(proxy.seen).toEqual([`${word} 127.0.0.1:${plainPort}`, `${word} 127.0.0.1:${securePort}`]);
    const unknown = client.send({ method: 'GET', url: 'https://vendor.test/', headers: {} });
    await expect(unknown).rejects.toMatchObject({ details: { text: expect.stringContaining('cannot be resolved here') } });
    expect(proxy.seen).toHaveLength(2);
  });
});

test('a proxy at an address that its guard refuses is not connected to', async () => {
  const proxy = await proxyOf('http');
  const client = createOutboundClient(createOutboundGuard({ allow: [] })).via(proxy.server);
  await expect(client.send({ method: 'GET', url: 'https://vendor.test/', headers: {} })).rejects.toMatchObject({
    details: { text: expect.stringContaining('not allowed') },
  });
  expect(proxy.seen).toEqual([]);
});

describe('the environment', () => {
  const choiceOf = (env: Record<string, string>, faults: string[] = []) => {
    const choice = readEnvironmentProxies(env, (name, what) => faults.push(`${name} ${what}`));
    return (origin: string): string | null => {
      const proxy = choice(origin);
      return proxy === null ? null : `${proxy.protocol}//${proxy.hostname}:${proxy.port}`;
    };
  };

  test('names one proxy for http and one for https, small letters first, ALL_PROXY last', () => {
    const choice = choiceOf({ HTTP_PROXY: 'p:1', http_proxy: 'http://q:2', HTTPS_PROXY: 'socks5://r', ALL_PROXY: 'http://s:4' });
    expect(choice('http://a.example')).toBe('http://q:2');
    expect(choice('https://a.example')).toBe('socks5://r:1080');
    expect(choiceOf({ all_proxy: 's:4' })('https://a.example')).toBe('http://s:4');
    expect(choiceOf({})('https://a.example')).toBeNull();
  });

  test.each([
    ['a.example', 'https://a.example', true],
    ['a.example', 'https://b.a.example', true],
    ['a.example', 'https://xa.example', false],
    ['.example', 'https://a.example', true],
    ['*.example', 'https://a.example', true],
    ['A.Example.', 'https://a.example', true],
    ['a.example:8443', 'https://a.example:8443', true],
    ['a.example:8443', 'https://a.example', false],
    ['a.example:443', 'https://a.example', true],
    ['10.0.0.0/8', 'http://10.9.8.7', true],
    ['10.0.0.0/8', 'http://11.0.0.1', false],
    ['fd00::/8', 'http://[fd12::1]', true],
    ['fd12::1', 'http://[fd12::1]', true],
    ['192.168.1.1', 'http://192.168.1.1:99', true],
    ['x y,a.example', 'https://a.example', true],
    ['*', 'https://a.example', true],
    ['', 'https://127.0.0.1:9', true],
    ['', 'https://localhost', true],
    ['', 'https://[::1]', true],
    ['', 'https://a.example', false],
  ])('NO_PROXY=%s and %s: direct is %s', (list, origin, isDirect) => {
    expect(choiceOf({ HTTP_PROXY: 'p:1', HTTPS_PROXY: 'p:1', NO_PROXY: list })(origin) === null).toBe(isDirect);
  });

  test('names the variable that is malformed', () => {
    const faults: string[] = [];
    choiceOf({ https_proxy: 'ftp://p', NO_PROXY: 'a/99' }, faults);
    expect(faults).toEqual([expect.stringContaining('https_proxy names no proxy'), expect.stringContaining('NO_PROXY holds "a/99"')]);
  });
});
