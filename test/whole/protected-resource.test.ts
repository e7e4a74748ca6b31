/** A 401 names the authorization server (RFC 9728). */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startGateway, type TestGateway } from './gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway({ PAILOU_PUBLIC_URL: 'https://gate.example' });
});
afterAll(async () => gateway[Symbol.asyncDispose]());

it('the metadata names the gateway and its OAuth2 service, and nothing secret', async () => {
  const base = '/.well-known/oauth-protected-resource';
  for (const [path, resource] of [
    ['', 'https://gate.example'],
    ['/mcp', 'https://gate.example/mcp'],
    ['/mcp/files', 'https://gate.example/mcp/files'],
    ['/mcp/there-is-none', 'https://gate.example/mcp/there-is-none'],
  ] as const) {
    const { status, json } = await gateway.as(null, 'GET', `${base}${path}`);
    expect(status).toBe(200);
    expect(json).toMatchObject({ resource, authorization_servers: [gateway.gateway.issuer], bearer_methods_supported: ['header'] });
    expect(json.scopes_supported).toContain('llm:mcp:use');
  }
});

it.each([
  ['/mcp', 'https://gate.example/.well-known/oauth-protected-resource/mcp'],
  ['/mcp/files?x=1', 'https://gate.example/.well-known/oauth-protected-resource/mcp/files'],
])('a 401 at %s points to it, whatever Host says', async (path, address) => {
  const headers = { 'x-forwarded-host': 'evil.example' };
  const missing = await gateway.as(null, 'POST', path, { jsonrpc: '2.0', id: 1, method: 'ping' }, headers);
  expect(missing.status).toBe(401);
  expect(missing.headers.get('www-authenticate')).toBe(`Bearer realm="pailou", resource_metadata="${address}"`);
  const wrong = await gateway.as(null, 'POST', path, {}, { authorization: 'Bearer x' });
  expect(wrong.headers.get('www-authenticate')).toBe(`Bearer realm="pailou", error="invalid_token", resource_metadata="${address}"`);
});

it('other addresses report only a missing token', async () => {
  expect((await gateway.as(null, 'GET', '/v1/models')).headers.get('www-authenticate')).toBe('Bearer realm="pailou"');
});
