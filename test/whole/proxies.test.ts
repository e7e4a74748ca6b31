/** A gateway in a company network: every kind of connection goes through the proxy that the row, the issuer or the environment names. */
import { afterEach, describe, expect, test } from 'vitest';
import { type ProxyOptions, startHttpProxy, startSocksProxy, type TestProxy } from '../outbound/proxy-servers.ts';
import { chiefOf, startCompanies } from './companies.ts';
import { startGateway } from './gateway.ts';
import { startChangingUpstream } from './mcp-upstream.ts';
import { startVendor, type Vendor } from './vendor.ts';

const owned: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of owned.splice(0).toReversed()) await each[Symbol.asyncDispose]();
});
const own = <T extends AsyncDisposable>(thing: T): T => {
  owned.push(thing);
  return thing;
};

const far = ({ url }: Pick<Vendor, 'url'>): string => url.replace('127.0.0.1', 'vendor.test');
const portOf = (url: string): string => new URL(url).port;
const proxyOf = async (kind: 'http' | 'socks5', options: ProxyOptions = {}): Promise<TestProxy & { readonly address: string }> => {
  const proxy = own(await (kind === 'http' ? startHttpProxy : startSocksProxy)(options));
  return { ...proxy, address: `${kind}://127.0.0.1:${proxy.port}` };
};
const chat = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] };
const model = { name: 'm', spec: { deployments: [{ provider: 'p', model: 'x' }] } };

describe.each(['http', 'socks5'] as const)('with a proxy of kind %s', (kind) => {
  test('a provider that names one is called through it, and its password is never shown', async () => {
    const vendor = own(await startVendor());
    const proxy = await proxyOf(kind, { login: 'pailou:s3cret' });
    const gateway = own(await startGateway());
    const options = { base_url: far(vendor), api_key: 'k', proxy: proxy.address, proxy_user: 'pailou', proxy_password: 's3cret' };
    const made = await gateway.as('admin', 'POST', '/api/providers', { name: 'p', spec: { kind: 'openai-compatible', options } });
    expect(made.status, made.text).toBe(201);
    expect(made.json.spec.options).toMatchObject({ proxy: proxy.address, proxy_user: 'pailou', proxy_password: '***' });
    await gateway.as('admin', 'POST', '/api/models', model);
    const answer = await gateway.as('admin', 'POST', '/v1/chat/completions', chat);
    expect(answer.status, answer.text).toBe(200);
    const target = `vendor.test:${portOf(vendor.url)}`;
    expect(proxy.seen).toEqual([kind === 'http' ? `POST http://${target}/v1/chat/completions` : `SOCKS ${target}`]);
    const tested = await gateway.as('admin', 'POST', '/api/providers/test', { spec: { kind: 'openai-compatible', options }, model: 'x' });
    expect(tested.status, tested.text).toBe(200);

    // The stored password does not follow the row to another proxy.
    const moved = { ...made.json.spec, options: { ...made.json.spec.options, proxy: 'http://127.0.0.1:9' } };
    const refused = await gateway.as('admin', 'PUT', '/api/providers/p', { spec: moved });
    expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('spec.options.proxy')]);
  });

  test('an MCP server that names one is listed and called through it', async () => {
    const upstream = own(
      await startChangingUpstream({ tools: [{ name: 't', inputSchema: { type: 'object' } }], resources: [], prompts: [] }),
    );
    const proxy = await proxyOf(kind);
    const gateway = own(await startGateway());
    const spec = { kind: 'http', options: { url: far(upstream), proxy: proxy.address } };
    const made = await gateway.as('admin', 'POST', '/api/mcp-servers', { name: 's', spec });
    expect(made.status, made.text).toBe(201);
    const called = await gateway.as(
      'developer',
      'POST',
      '/mcp/s',
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 't', arguments: {} } },
      { accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2025-11-25' },
    );
    expect(called.text).toContain('ran t');
    expect(proxy.seen.length).toBeGreaterThan(0);
    expect(proxy.seen.every((each) => each.includes(`vendor.test:${portOf(upstream.url)}`))).toBe(true);
  });

  test('an OAuth2 service that is behind one is reached through it', async () => {
    const proxy = await proxyOf(kind);
    await using companies = await startCompanies({ PAILOU_OAUTH_PROXY: proxy.address });
    const answer = await companies.as(chiefOf('acme'), 'GET', '/api/me');
    expect(answer.status, answer.text).toBe(200);
    expect(proxy.seen.length).toBeGreaterThan(0);
    expect(proxy.seen.every((each) => each.includes(portOf(companies.service.issuer)))).toBe(true);
  });
});

test('the proxies of the environment are used for every row that names none, except for NO_PROXY and this machine', async () => {
  const vendor = own(await startVendor());
  const proxy = await proxyOf('http');
  const gateway = own(await startGateway({ HTTP_PROXY: proxy.address, NO_PROXY: 'direct.test' }));
  const provider = async (name: string, base_url: string, more: object = {}): Promise<void> => {
    const spec = { kind: 'openai-compatible', options: { base_url, api_key: 'k', ...more } };
    expect((await gateway.as('admin', 'POST', '/api/providers', { name, spec })).status).toBe(201);
    await gateway.as('admin', 'POST', '/api/models', { name, spec: { deployments: [{ provider: name, model: 'x' }], retry: { same: 0 } } });
  };
  await provider('through', far(vendor));
  await provider('local', vendor.url);
  await provider('listed', vendor.url.replace('127.0.0.1', 'direct.test'));
  await provider('never', far(vendor), { proxy: 'none' });
  const ask = async (name: string) => (await gateway.as('admin', 'POST', '/v1/chat/completions', { ...chat, model: name })).status;
  expect(await ask('through')).toBe(200);
  expect(proxy.seen).toEqual([`POST http://vendor.test:${portOf(vendor.url)}/v1/chat/completions`]);
  expect(await ask('local')).toBe(200);
  // These names lead nowhere without the proxy.
  expect([await ask('listed'), await ask('never')]).toEqual([503, 503]);
  expect(proxy.seen).toHaveLength(1);
});

test('a proxy is an address like any other: its form, its range and its login are checked when the row is saved', async () => {
  const gateway = own(await startGateway({ PAILOU_OUTBOUND_ALLOW: '10.0.0.0/8', PAILOU_OUTBOUND_ALLOW_DEVELOPERS: '' }));
  const save = async (role: 'admin' | 'developer', more: object, kind: object = { kind: 'openai', options: { api_key: 'k', ...more } }) => {
    const { status, json } = await gateway.as(role, 'POST', '/api/providers', { name: 'p', spec: kind });
    return [status, json.error?.param ?? null];
  };
  expect(await save('admin', { proxy: 'ftp://10.0.0.1' })).toEqual([400, 'spec.options.proxy']);
  expect(await save('admin', { proxy: 'http://u:p@10.0.0.1:3128' })).toEqual([400, 'spec.options.proxy']);
  expect(await save('admin', { proxy: 'http://169.254.169.254' })).toEqual([400, 'spec.options.proxy']);
  expect(await save('admin', { proxy: 'socks5://192.168.0.1:1080' })).toEqual([400, 'spec.options.proxy']);
  expect(await save('admin', { proxy_user: 'u' })).toEqual([400, 'spec.options.proxy_user']);
  expect(await save('admin', { proxy: 'http://10.0.0.1', proxy_password: 'u' })).toEqual([400, 'spec.options.proxy_password']);
  expect(await save('developer', { proxy: 'socks5://10.0.0.1:1080' })).toEqual([403, 'spec.options.proxy']);
  expect(await save('admin', {}, { kind: 'demo', options: { proxy: 'http://10.0.0.1' } })).toEqual([400, 'spec.options.proxy']);
  expect(await save('admin', { proxy: 'socks5://10.0.0.1:1080' })).toEqual([201, null]);
});

test('a malformed proxy of the environment stops the start and is named', async () => {
  await expect(startGateway({ https_proxy: 'gopher://x', no_proxy: '1.2.3.4/x' })).rejects.toThrow(
    /https_proxy names no proxy|https_proxy: names no proxy/,
  );
});
