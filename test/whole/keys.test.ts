/** Keys for machines and IDEs over HTTP: at most the rights of their owner, no escalation, ended by revocation. */
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startGateway, type TestGateway } from './gateway.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(async () => gateway[Symbol.asyncDispose]());

const hello = { model: 'demo/echo', messages: [{ role: 'user', content: 'Hi' }] };
const make = async (who: 'admin' | 'developer' | 'user', body: object = {}) => {
  const made = await gateway.as(who, 'POST', '/api/keys', body);
  expect(made.status, made.text).toBe(201);
  return made.json as { id: string; key: string; hint: string; expires_at: string };
};
const withKey = (key: string, method: string, path: string, body?: unknown) =>
  gateway.as(null, method, path, body, { authorization: `Bearer ${key}` });
const call = (key: string, body: object = hello) => withKey(key, 'POST', '/v1/chat/completions', body);

describe('a key', () => {
  it('is accepted for calls of its owner, in either header and with the real clients, and recorded', async () => {
    const { id, key, hint } = await make('user', { title: 'my editor' });
    expect(key).toMatch(/^pailou_[0-9a-f]{16}_[\w-]{43}$/);
    expect(key.startsWith(hint.slice(0, -1))).toBe(true);
    expect((await call(key)).json.choices[0].message.content).toContain('Hi');
    expect((await gateway.as(null, 'POST', '/v1/chat/completions', hello, { 'x-api-key': key })).status).toBe(200);
    const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: key });
    expect((await openai.models.list()).data.map((model) => model.id)).toContain('demo/echo');
    const anthropic = new Anthropic({ baseURL: gateway.url, apiKey: key });
    const message = await anthropic.messages.create({ ...hello, max_tokens: 50, messages: [{ role: 'user', content: 'Hi' }] });
    expect(message.content[0]).toMatchObject({ type: 'text' });
    const runs = await eventually(
      async () => (await gateway.as('user', 'GET', '/api/runs')).json.data as { key: string | null; subject: string }[],
      (found) => found.filter((run) => run.key === id).length >= 3,
    );
    expect(runs[0]?.subject).toBe('user');
    const listed = (await gateway.as('user', 'GET', '/api/keys')).json.data.find((each: { id: string }) => each.id === id);
    expect(listed).toMatchObject({ title: 'my editor', owner: 'user', last_used_at: expect.stringMatching(/^\d{4}-/) });
    expect(JSON.stringify(listed)).not.toContain(key.slice(-20));
  });

  it('is refused when invalid, truncated, combined with another credential, or sent twice', async () => {
    const { id, key } = await make('user');
    const other = await make('developer');
    const bad = [
      key.slice(0, -1),
      `${key}x`,
      `${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}`,
      `pailou_${id}_`,
      other.key.replace(other.id, id),
    ];
    for (const wrong of bad) expect(await call(wrong)).toMatchObject({ status: 401, json: { error: { code: 'token_invalid' } } });
    const mixed = await gateway.as('user', 'POST', '/v1/chat/completions', hello, { 'x-api-key': key });
    expect(mixed.status).toBe(401);
    expect(mixed.json.error.message).toContain('two different');
    expect((await call(`${key}`)).status).toBe(200);
  });

  it('never reaches /api, so it never creates another key', async () => {
    const { key, id } = await make('admin');
    const reads = [
      '/api/keys',
      `/api/keys/${id}`,
      '/api/me',
      '/api/models',
      '/api/runs',
      '/api/audit',
      '/api/config/revision',
      '/api/limits',
    ];
    for (const path of reads) expect((await withKey(key, 'GET', path)).status, path).toBe(403);
    for (const [path, body] of [
      ['/api/keys', {}],
      [`/api/keys/${id}/rotate`, {}],
      ['/api/models', { name: 'x', spec: { deployments: [{ provider: 'demo', model: 'echo' }] } }],
      ['/api/grants', { spec: { subject_type: 'user', subject: 'x', capability: 'model/x', action: 'use' } }],
    ] as const)
      expect((await withKey(key, 'POST', path, body)).status, path).toBe(403);
    expect((await withKey(key, 'DELETE', `/api/keys/${id}`)).status).toBe(403);
    expect((await gateway.as('admin', 'POST', '/api/keys', { permissions: ['llm:model:manage'] })).status).toBe(400);
  });

  it('reaches only what it was given, in every list and every call', async () => {
    const { key } = await make('developer', {
      capabilities: ['model/demo/echo', 'mcp/demo/*'],
      permissions: ['llm:model:use', 'llm:model:view'],
    });
    expect((await withKey(key, 'GET', '/v1/models')).json.data.map((model: { id: string }) => model.id)).toEqual(['demo/echo']);
    expect((await call(key)).status).toBe(200);
    const refused = await call(key, { ...hello, model: 'demo/tools' });
    expect(refused).toMatchObject({ status: 403, json: { error: { message: expect.stringContaining('Your key was not made for this') } } });
    expect((await call(key, { ...hello, model: 'skill/demo-greeting' })).status).toBe(403);
    const withTool = await call(key, { ...hello, tools: [{ type: 'mcp', server_label: 'demo' }] });
    expect(withTool.status, 'the owner may use tools, this key may not').toBe(403);
  });

  it('is accepted only from the networks that it was given', async () => {
    const near = await make('user', { addresses: ['127.0.0.0/8'] });
    const far = await make('user', { addresses: ['10.0.0.0/8', 'fd00::/8'] });
    expect((await call(near.key)).status).toBe(200);
    const spoofed = await gateway.as(null, 'POST', '/v1/chat/completions', hello, {
      authorization: `Bearer ${far.key}`,
      'x-forwarded-for': '10.1.2.3',
    });
    expect(spoofed.status).toBe(403);
    expect((await gateway.as('user', 'POST', '/api/keys', { addresses: ['300.0.0.0/8'] })).status).toBe(400);
  });

  it('ends at once when it is revoked, and is not restored by a rollback', async () => {
    const { id, key } = await make('user');
    const before = Number((await gateway.as('admin', 'GET', '/api/config/revision')).json.revision);
    expect((await gateway.as('developer', 'DELETE', `/api/keys/${id}`)).status, 'not somebody else’s').toBe(404);
    expect((await gateway.as('user', 'DELETE', `/api/keys/${id}`)).status).toBe(204);
    expect((await call(key)).status).toBe(401);
    await gateway.as('admin', 'POST', '/api/config/rollback', { revision: before });
    expect((await call(key)).status).toBe(401);
    const other = await make('user');
    expect((await gateway.as('admin', 'DELETE', `/api/keys/${other.id}`)).status, 'an administrator takes any away').toBe(204);
    expect((await call(other.key)).status).toBe(401);
  });

  it('is rotated with an overlap, only by its owner', async () => {
    const { id, key } = await make('user', { capabilities: ['model/demo/*'] });
    expect((await gateway.as('admin', 'POST', `/api/keys/${id}/rotate`, {})).status).toBe(403);
    const next = await gateway.as('user', 'POST', `/api/keys/${id}/rotate`, { overlap_hours: 1 });
    expect(next.status, next.text).toBe(201);
    expect(next.json.capabilities).toEqual(['model/demo/*']);
    expect((await call(next.json.key)).status).toBe(200);
    expect((await call(key)).status).toBe(200);
    expect((await gateway.as('user', 'GET', `/api/keys/${id}`)).json.replaced_by).toBe(next.json.id);
    expect((await gateway.as('user', 'POST', `/api/keys/${id}/rotate`, {})).status).toBe(409);
    const last = await gateway.as('user', 'POST', `/api/keys/${next.json.id}/rotate`, { overlap_hours: 0 });
    expect((await call(next.json.key)).json.error.code).toBe('token_expired');
    expect((await call(last.json.key)).status).toBe(200);
  });

  it('that an administrator disabled is neither enabled, changed nor rotated by its owner; one that the owner disabled is', async () => {
    const { id } = await make('user', { title: 'stays off' });
    const patch = (who: 'admin' | 'user', body: object) => gateway.as(who, 'PATCH', `/api/keys/${id}`, body);
    expect((await patch('user', { enabled: false })).status).toBe(200);
    expect((await patch('user', { enabled: true })).status).toBe(200);
    expect((await patch('admin', { enabled: false })).status).toBe(200);
    for (const refused of [
      await patch('user', { title: 'mine' }),
      await patch('user', { enabled: true }),
      await gateway.as('user', 'POST', `/api/keys/${id}/rotate`, {}),
    ])
      expect([refused.status, refused.json.error.message]).toEqual([403, expect.stringContaining('disabled by admin')]);
    expect((await patch('admin', { enabled: true })).json).toMatchObject({ enabled: true });
    expect((await patch('user', { title: 'mine' })).status).toBe(200);
  });

  it("has at most its owner's permissions, and cannot be made for another user", async () => {
    expect((await gateway.as('user', 'POST', '/api/keys', { subject: 'admin' })).status).toBe(400);
    expect((await gateway.as('user', 'POST', '/api/keys', { owner: 'admin' })).status).toBe(400);
    const viewer = await gateway.as('viewer', 'POST', '/api/keys', {});
    expect(viewer.json.permissions).toEqual(['llm:model:view', 'llm:skill:view', 'llm:mcp:view']);
    expect((await call(viewer.json.key)).status).toBe(403);
    expect((await gateway.as('viewer', 'POST', '/api/keys', { permissions: ['llm:model:use'] })).status).toBe(403);
  });

  it('can be limited on its own', async () => {
    const { id, key } = await make('user');
    await gateway.as('admin', 'POST', '/api/limits', {
      name: 'one-key',
      spec: { subject_type: 'key', subject: id, requests_per_minute: 1 },
    });
    expect((await call(key)).status).toBe(200);
    expect((await call(key)).status).toBe(429);
    expect((await gateway.as('user', 'POST', '/v1/chat/completions', hello)).status).toBe(200);
  });
});

describe('keys and restarts', () => {
  it('work immediately after a restart, when their owner is known', async () => {
    const { key } = await make('developer');
    await gateway.gateway.close(2_000);
    gateway = await startGateway({ ...gateway.env });
    expect((await call(key)).status).toBe(200);
  });

  it('are refused where they are disabled', async () => {
    const { key } = await make('developer');
    await gateway.gateway.close(2_000);
    gateway = await startGateway({ ...gateway.env, PAILOU_API_KEYS: 'off' });
    const refused = await call(key);
    expect(refused).toMatchObject({ status: 401, json: { error: { message: expect.stringContaining('does not accept keys') } } });
    expect((await gateway.as('user', 'GET', '/api/keys')).status).toBe(404);
  });
});
