/** Rows of the control API: what GET gives can be put back, PATCH merges, and every place shows rows in one shape. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from './gateway.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());

// oxlint-disable-next-line no-explicit-any -- rows of every kind
type Row = any;
const admin = (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
  gateway.as('admin', method, path, body, headers);

async function create(path: string, body: object): Promise<Row> {
  const { status, json, text } = await admin('POST', path, body);
  expect([status, text]).toEqual([201, expect.anything()]);
  return json;
}

const provider = (name: string) => ({
  name,
  spec: { kind: 'openai-compatible', options: { base_url: 'https://api.example.com/v1', api_key: 'k', headers: { 'x-team': 't' } } },
});

describe('what GET gives', () => {
  it('is accepted by PUT for each kind of row, and changes nothing but the revision', async () => {
    const { kinds, rows } = (await admin('GET', '/api/kinds')).json;
    const paths: Record<string, string> = Object.fromEntries(rows.map(({ type, path }: Row) => [type, path]));
    const examples = [
      ...rows.map(({ path, example }: Row) => [path, example]),
      ...kinds.filter(({ example }: Row) => example !== null).map(({ type, example }: Row) => [paths[type], example]),
    ];
    for (const [path, example] of examples) {
      const { name } = await create(path, example);
      const got = (await admin('GET', `${path}/${name}`)).json;
      const edited = { ...got, enabled: false };
      const put = await admin('PUT', `${path}/${name}`, edited);
      expect([path, name, put.status, put.status === 200 ? '' : put.text]).toEqual([path, name, 200, '']);
      expect({ ...put.json, revision: 0, updated_at: '', warnings: undefined }).toEqual({ ...edited, revision: 0, updated_at: '' });
    }
    const demo = (await admin('GET', '/api/skills/demo-greeting')).json;
    expect((await admin('PUT', '/api/skills/demo-greeting', demo)).status).toBe(200);
  });

  it('is refused when its revision is old, with the current row in the shape of the API', async () => {
    const first = await create('/api/providers', provider('stale'));
    await admin('PATCH', '/api/providers/stale', { enabled: false });
    const { status, json } = await admin('PUT', '/api/providers/stale', first);
    expect([status, json.error.code]).toEqual([409, 'revision_conflict']);
    const { json: now } = await admin('GET', '/api/providers/stale');
    expect(json.error.current ?? json.current).toEqual(now);
    expect(now).toMatchObject({ enabled: false, spec: { options: { api_key: '***' } } });
  });

  it('is refused when a member was edited that a write cannot change', async () => {
    const row = await create('/api/providers', provider('fixed'));
    for (const [member, value] of [
      ['name', 'other'],
      ['id', 'x'],
      ['created_by', 'mallory'],
      ['approved_tags', ['a']],
      ['updated_at', '2020-01-01T00:00:00.000Z'],
    ] as const) {
      const { status, json } = await admin('PUT', '/api/providers/fixed', { ...row, [member]: value });
      expect([member, status, json.error.param]).toEqual([member, 400, member]);
    }
    expect((await admin('PUT', '/api/providers/fixed', { ...row, tenant: 'x' })).json.error.message).toContain('tenant');
  });
});

describe('PATCH', () => {
  it.each(['application/merge-patch+json', 'application/json'])('merges objects, replaces lists and removes by null (%s)', async (type) => {
    const name = `patch-${type.length}`;
    await create('/api/providers', provider(name));
    const patch = { spec: { currency: 'CNY', options: { headers: { 'x-team': null, 'x-more': 'm' }, stream_only: ['a*'] } } };
    const { status, json } = await admin('PATCH', `/api/providers/${name}`, patch, { 'content-type': type });
    expect(status).toBe(200);
    expect(json.spec).toMatchObject({
      currency: 'CNY',
      options: { base_url: 'https://api.example.com/v1', api_key: '***', headers: { 'x-more': '***' }, stream_only: ['a*'] },
    });
    expect(Object.keys(json.spec.options.headers)).toEqual(['x-more']);
    const removed = await admin('PATCH', `/api/providers/${name}`, { spec: { currency: null, options: { stream_only: null } } });
    expect(removed.json.spec).not.toHaveProperty('currency');
    expect(removed.json.spec.options).not.toHaveProperty('stream_only');
  });

  it('changes a model, a skill, an MCP server, a limit, a grant and a key', async () => {
    const model = await admin('PATCH', '/api/models/demo%2Fecho', { spec: { limits: { attempts: 2 }, tags: ['demo', 'x'] } });
    expect(model.json.spec).toMatchObject({ limits: { attempts: 2, first_byte_ms: 300_000 }, tags: ['demo', 'x'], deployments: [{}] });
    const skill = await admin('PATCH', '/api/skills/demo-greeting', { spec: { title: 'Greeting' } });
    expect(skill.json.spec).toMatchObject({ title: 'Greeting', options: { instructions: 'You greet people warmly.' } });
    const server = await admin('PATCH', '/api/mcp-servers/demo', { enabled: false });
    expect(server.json).toMatchObject({ enabled: false, spec: { options: { program: 'pailou-demo' } } });
    await create('/api/limits', { name: 'some', spec: { subject_type: 'user', requests_per_minute: 60 } });
    const limit = await admin('PATCH', '/api/limits/some', { spec: { requests_per_minute: null, tokens_per_minute: 9 } });
    expect(limit.json.spec).toMatchObject({ subject_type: 'user', tokens_per_minute: 9 });
    expect(limit.json.spec).not.toHaveProperty('requests_per_minute');
    const spec = { subject_type: 'role', subject: 'sales', capability: 'model/demo/echo', action: 'view' };
    const { name } = await create('/api/grants', { spec });
    expect((await admin('PATCH', `/api/grants/${name}`, { spec: { action: 'use' } })).json.spec).toMatchObject({ ...spec, action: 'use' });
    const { id } = await create('/api/keys', { title: 'ci' });
    const key = await admin('PATCH', `/api/keys/${id}`, { title: 'build', addresses: ['10.0.0.0/8'] });
    expect(key.json).toMatchObject({ id, title: 'build', addresses: ['10.0.0.0/8'], enabled: true });
  });

  it('names what is wrong with the result, and changes nothing', async () => {
    await create('/api/providers', provider('wrong'));
    for (const [patch, param] of [
      [{ spec: { options: { base_url: null } } }, 'spec.options.base_url'],
      [{ spec: { nonsense: 1 } }, 'spec'],
      [{ enabled: null }, 'enabled'],
      [{ name: 'other' }, 'name'],
    ] as const) {
      const { status, json } = await admin('PATCH', '/api/providers/wrong', patch);
      expect([JSON.stringify(patch), status >= 400]).toEqual([JSON.stringify(patch), true]);
      expect(json.error.param).toContain(param);
    }
    expect((await admin('GET', '/api/providers/wrong')).json).toMatchObject({ enabled: true, spec: { options: { api_key: '***' } } });
  });

  it('keeps every one of many changes at the same time', async () => {
    await create('/api/providers', provider('busy'));
    const answers = await Promise.all(
      Array.from({ length: 5 }, (_each, index) =>
        admin('PATCH', '/api/providers/busy', { spec: { options: { headers: { [`x-${index}`]: 'v' } } } }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    const { json } = await admin('GET', '/api/providers/busy');
    expect(Object.keys(json.spec.options.headers).toSorted()).toEqual(['x-0', 'x-1', 'x-2', 'x-3', 'x-4', 'x-team']);
  });

  it('does not follow a changed address with a stored secret, and needs the right to the row', async () => {
    await create('/api/providers', provider('moved'));
    const moved = await admin('PATCH', '/api/providers/moved', { spec: { options: { base_url: 'https://elsewhere.example/v1' } } });
    expect([moved.status, moved.json.error.param]).toEqual([400, expect.stringContaining('spec.options')]);
    expect((await gateway.as('developer', 'PATCH', '/api/providers/moved', { enabled: false })).status).toBe(403);
    expect((await gateway.as('user', 'PATCH', '/api/providers/moved', { enabled: false })).status).toBe(403);
    const { json: mine } = await gateway.as('developer', 'POST', '/api/keys', { title: 'mine' });
    expect((await admin('PATCH', `/api/keys/${mine.id}`, { addresses: null })).status).toBe(403);
    expect((await admin('PATCH', `/api/keys/${mine.id}`, { enabled: false })).json.enabled).toBe(false);
    expect((await admin('PATCH', `/api/keys/${mine.id}`, { enabled: true })).json.enabled).toBe(true);
    expect((await gateway.as('developer', 'PATCH', `/api/keys/${mine.id}`, { permissions: ['llm:model:use'] })).json.permissions).toEqual([
      'llm:model:use',
    ]);
  });
});

it('shows rows of the audit and of the history as GET shows them', async () => {
  await create('/api/providers', provider('seen'));
  const { json: before } = await admin('GET', '/api/providers/seen');
  await admin('PATCH', '/api/providers/seen', { enabled: false });
  const { json: after } = await admin('GET', '/api/providers/seen');
  const { json: audit } = await admin('GET', '/api/audit?target=provider/seen&act=update');
  expect(audit.data[0]).toMatchObject({ before, after });
  const { json: history } = await admin('GET', `/api/config/history?after=${before.revision}`);
  const entry = history.data.find(({ name }: Row) => name === 'seen');
  expect([entry.before, entry.after]).toEqual([before, after]);
});
