/** Authentication and permissions over HTTP. */
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startGateway, type TestGateway } from './gateway.ts';

let gateway: TestGateway;
const chat = (model: string) => ({ model, messages: [{ role: 'user', content: 'Hello' }] });

beforeAll(async () => {
  gateway = await startGateway();
  const made = await gateway.as('admin', 'POST', '/api/models', {
    name: 'private',
    spec: { deployments: [{ provider: 'demo', model: 'echo' }] },
  });
  expect(made.status, made.text).toBe(201);
});
afterAll(() => gateway[Symbol.asyncDispose]());

describe('a user without a grant', () => {
  it('does not see the model, and gets 403 with the reason; a grant applies at once', async () => {
    const listed = async () => (await gateway.as('user', 'GET', '/v1/models')).json.data.map((model: { id: string }) => model.id);
    expect(await listed()).not.toContain('private');
    const refused = await gateway.as('user', 'POST', '/v1/chat/completions', chat('private'));
    expect(refused.status).toBe(403);
    expect(refused.json.error.code).toBe('permission_denied');
    const why = await gateway.as('user', 'GET', '/api/explain?capability=model/private&action=use');
    expect(why.json).toMatchObject({ allowed: false, status: 403 });
    expect(why.json.reason).toMatch(/grant/i);

    const grant = { spec: { subject_type: 'role', subject: 'user', capability: 'model/private', action: 'use' } };
    const granted = await gateway.as('admin', 'POST', '/api/grants', grant);
    expect(granted.status, granted.text).toBe(201);
    expect((await gateway.as('user', 'POST', '/v1/chat/completions', chat('private'))).status).toBe(200);
    expect(await listed()).toContain('private');
    expect((await gateway.as('user', 'GET', '/api/explain?capability=model/private')).json).toMatchObject({ allowed: true });

    await gateway.as('admin', 'DELETE', `/api/grants/${granted.json.name}`);
    expect((await gateway.as('user', 'POST', '/v1/chat/completions', chat('private'))).status).toBe(403);
  });

  it('has its denials in the audit, beside every change with before and after', async () => {
    await gateway.as('user', 'POST', '/v1/chat/completions', chat('private'));
    const entries = await eventually(
      async () =>
        (await gateway.as('admin', 'GET', '/api/audit?limit=200')).json.data as {
          act: string;
          actor: string;
          target: string;
          after: unknown;
        }[],
      (data) => data.some((entry) => entry.act === 'denied'),
    );
    expect(entries.some((entry) => entry.target.includes('private') && entry.after !== null)).toBe(true);
    expect((await gateway.as('user', 'GET', '/api/audit')).status).toBe(403);
  });
});

describe('tokens', () => {
  const ask = (authorization: string, more: Record<string, string> = {}) =>
    gateway.as(null, 'GET', '/api/me', undefined, { authorization, ...more });

  it('a missing one gets 401 with the remedy', async () => {
    const answer = await gateway.as(null, 'POST', '/v1/chat/completions', chat('demo/echo'));
    expect(answer.status).toBe(401);
    expect(answer.json.error).toMatchObject({ code: 'token_missing', param: null });
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
  });

  it('invalid, unsigned, foreign and mixed ones all get 401', async () => {
    const good = await gateway.token('admin');
    const [head, body, signature] = good.split('.') as [string, string, string];
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>;
    const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as { kid: string; alg: string };
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    const jwk = { ...(await exportJWK(publicKey)), kid: header.kid };
    const sign = (payload: Record<string, unknown>, protectedHeader: Record<string, unknown> = {}) =>
      new SignJWT(payload).setProtectedHeader({ alg: 'ES256', kid: header.kid, typ: 'at+jwt', ...protectedHeader }).sign(privateKey);
    const keys = await (await fetch(`${gateway.gateway.issuer}/jwks`)).text();
    const hmac = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: header.kid }).sign(new TextEncoder().encode(keys));
    const bad: Record<string, string> = {
      garbage: 'garbage',
      unsigned: new UnsecuredJWT(claims).encode(),
      'cut signature': `${head}.${body}.${signature.slice(0, -4)}AAAA`,
      'changed claims': `${head}.${Buffer.from(JSON.stringify({ ...claims, roles: ['admin'], sub: 'mallory' })).toString('base64url')}.${signature}`,
      'own key': await sign(claims),
      'embedded key': await sign(claims, { jwk }),
      'hmac with the public keys': hmac,
      'foreign issuer': await sign({ ...claims, iss: 'https://evil.example' }),
    };
    for (const [name, token] of Object.entries(bad)) {
      const answer = await ask(`Bearer ${token}`);
      expect(answer.status, name).toBe(401);
      expect(answer.json.error.code, name).toBe('token_invalid');
    }
    expect((await ask(`Bearer ${good}`)).status).toBe(200);
  });

  it('an x-api-key with the same token is accepted, one with another token is refused; two Authorization headers are refused', async () => {
    const token = await gateway.token('user');
    expect((await gateway.as(null, 'GET', '/api/me', undefined, { 'x-api-key': token })).status).toBe(200);
    expect((await ask(`Bearer ${token}`, { 'x-api-key': token })).status).toBe(200);
    expect((await ask(`Bearer ${token}`, { 'x-api-key': await gateway.token('admin') })).status).toBe(401);
  });
});

describe('the control plane', () => {
  it('tells callers who they are', async () => {
    const me = await gateway.as('developer', 'GET', '/api/me');
    expect(me.json).toMatchObject({ tenant: 'default', roles: ['developer'] });
    expect(me.json.permissions).toContain('llm:model:manage');
  });

  it('lets developers manage only their own rows, and viewers and users none', async () => {
    const spec = { deployments: [{ provider: 'demo', model: 'echo' }] };
    expect((await gateway.as('developer', 'POST', '/api/models', { name: 'mine', spec })).status).toBe(201);
    expect((await gateway.as('developer', 'PUT', '/api/models/mine', { spec: { ...spec, description: 'better' } })).status).toBe(200);
    expect((await gateway.as('developer', 'DELETE', '/api/models/private')).status).toBe(403);
    expect((await gateway.as('developer', 'POST', '/api/models', { name: 'theirs', owner: 'somebody', spec })).status).toBe(403);
    for (const role of ['viewer', 'user'] as const) {
      expect((await gateway.as(role, 'POST', '/api/models', { name: `by-${role}`, spec })).status, role).toBe(403);
      expect((await gateway.as(role, 'GET', '/api/limits')).status, role).toBe(403);
    }
    expect((await gateway.as('admin', 'DELETE', '/api/models/mine')).status).toBe(204);
  });

  it('refuses read-only fields', async () => {
    const spec = { deployments: [{ provider: 'demo', model: 'echo' }] };
    const answer = await gateway.as('developer', 'POST', '/api/models', { name: 'x', spec, tenant_id: 'other', created_by: 'root' });
    expect(answer.status).toBe(400);
    expect(answer.json.error.message).toMatch(/tenant_id/);
  });

  it('allows stdio MCP servers only to administrators: create, change and test', async () => {
    const spec = { kind: 'stdio', options: { command: 'sh', args: ['-c', 'id'] } };
    expect((await gateway.as('developer', 'POST', '/api/mcp-servers', { name: 'evil', spec })).status).toBe(403);
    expect((await gateway.as('developer', 'POST', '/api/mcp-servers/test', { spec })).status).toBe(403);
    const admin = await gateway.as('admin', 'POST', '/api/mcp-servers', { name: 'evil', spec });
    expect(admin.status).toBe(400);
    expect(admin.json.error).toMatchObject({ code: 'configuration_invalid', param: 'spec.options.command' });
  });

  it('never shows a stored secret, in no answer and not on disk', async () => {
    const canary = 'canary-9f8e7d6c5b4a';
    const spec = { kind: 'openai', options: { api_key: canary } };
    const made = await gateway.as('admin', 'POST', '/api/providers', { name: 'sealed', spec });
    expect(made.status, made.text).toBe(201);
    expect(made.json.spec.options.api_key).toBe('***');
    const places = [
      '/api/providers',
      '/api/providers/sealed',
      '/api/audit?limit=200',
      '/api/config/history?limit=500',
      '/healthz',
      '/metrics',
    ];
    for (const place of places) expect((await gateway.as('admin', 'GET', place)).text, place).not.toContain(canary);
    // A masked secret that is sent back keeps the stored one.
    const kept = await gateway.as('admin', 'PUT', '/api/providers/sealed', { spec: { ...spec, options: { api_key: '***' } } });
    expect(kept.status, kept.text).toBe(200);
    const { readdir, readFile } = await import('node:fs/promises');
    for (const file of await readdir(gateway.dataDir, { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue;
      expect((await readFile(`${file.parentPath}/${file.name}`)).includes(canary), file.name).toBe(false);
    }
  });
});
