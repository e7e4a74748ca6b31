/** Titles, descriptions, tags and names of every kind of row and MCP item: without hiding, reordering or control characters. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually, startGateway, type TestGateway } from './gateway.ts';
import { type ChangingUpstream, startChangingUpstream } from './mcp-upstream.ts';

const bad = 'a\u001b[2J\u0007\u009b\u202eb\u2066c\u200bd\ufeff\u{e0041}e\rf';
const forbidden = /[^\P{Cc}\n]|[\u202a-\u202e\u2066-\u2069\u200b\ufeff\u{e0000}-\u{e007f}]/u;

let gateway: TestGateway;
let upstream: ChangingUpstream;

beforeAll(async () => {
  gateway = await startGateway();
  const inputSchema = { type: 'object', properties: { path: { type: 'string', description: bad, enum: ['x\u200b', 'y'] } } };
  upstream = await startChangingUpstream({
    tools: [
      { name: 'read', title: bad, description: bad, annotations: { title: bad }, inputSchema },
      { name: 'wri\u200bte', inputSchema },
      { name: 'de\u202elete', inputSchema },
    ],
    resources: [
      { uri: 'file:///a', name: bad, description: bad },
      { uri: 'file:///\u202eb', name: 'b' },
    ],
    prompts: [
      { name: 'greet', description: bad, arguments: [{ name: 'who', description: bad }] },
      { name: 'g\u0007', description: 'x' },
    ],
  });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const must = async (path: string, body: object) => {
  const made = await gateway.as('admin', 'POST', path, body);
  expect(made.status, made.text).toBe(201);
  return made;
};

it('rows of every kind contain none of them, in any list, history or export', async () => {
  await must('/api/providers', { name: 'vendor', spec: { kind: 'openai-compatible', options: { base_url: 'http://127.0.0.1:9/v1' } } });
  const deployments = [{ provider: 'vendor', model: 'm' }];
  await must('/api/models', { name: 'shown', spec: { deployments, description: bad, tags: [bad] } });
  await must('/api/skills', {
    name: 'shown',
    spec: {
      kind: 'prompt',
      title: bad,
      description: bad,
      tags: [bad],
      model: 'demo/echo',
      options: { instructions: 'Go.', input_schema: { type: 'object' } },
    },
  });
  const server = { kind: 'http', options: { url: upstream.url }, description: bad, tags: [bad] };
  await must('/api/mcp-servers', { name: 'shown', spec: server });
  await must('/api/limits', { name: 'shown', spec: { subject_type: 'user', requests_per_minute: 1_000, description: bad } });
  await must('/api/keys', { title: bad });
  const places = ['models', 'skills', 'mcp-servers', 'limits', 'keys', 'config/history', 'audit'].map((each) => `/api/${each}`);
  for (const place of [...places, '/v1/skills', '/v1/models', '/api/models/shown', '/api/skills/shown']) {
    const { status, json } = await gateway.as('admin', 'GET', place);
    expect(status, place).toBe(200);
    const texts: string[] = [];
    const collect = (value: unknown): void => {
      if (typeof value === 'string') texts.push(value);
      else if (typeof value === 'object' && value !== null) Object.values(value).forEach(collect);
    };
    collect(json);
    expect(
      texts.filter((text) => forbidden.test(text)),
      place,
    ).toEqual([]);
  }
  const { spec } = (await gateway.as('admin', 'GET', '/api/skills/shown')).json;
  expect(spec.title).toBe('a�[2J���b�c�d��e f');
  const again = await gateway.as('admin', 'PUT', '/api/skills/shown', { spec });
  expect(again.status, 'what GET gives, PUT accepts').toBe(200);
});

it('names of every kind are refused with them, with the field', async () => {
  for (const kind of ['providers', 'models', 'skills', 'mcp-servers', 'limits'])
    for (const name of ['a\u200bb', 'a\u202eb', 'a\u0007', 'a\nb']) {
      const answer = await gateway.as('admin', 'POST', `/api/${kind}`, { name, spec: {} });
      expect(answer, `${kind} ${JSON.stringify(name)}`).toMatchObject({ status: 400, json: { error: { param: 'name' } } });
    }
});

it('MCP items are listed without them, and an item that needs them is not listed', async () => {
  const rpc = async (method: string) =>
    (
      await gateway.as(
        'admin',
        'POST',
        '/mcp/shown',
        {
          jsonrpc: '2.0',
          id: 1,
          method,
          params: {
            _meta: {
              'io.modelcontextprotocol/protocolVersion': '2026-07-28',
              'io.modelcontextprotocol/clientInfo': { name: 't', version: '1' },
              'io.modelcontextprotocol/clientCapabilities': {},
            },
          },
        },
        { accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2026-07-28', 'mcp-method': method },
      )
    ).text;
  const tools = await eventually(
    () => rpc('tools/list'),
    (text) => text.includes('"read"'),
  );
  const resources = await rpc('resources/list');
  const prompts = await rpc('prompts/list');
  expect(tools).not.toMatch(/"wri|"de\W/);
  expect(resources).toContain('file:///a');
  expect(resources).not.toContain('"b"');
  expect(prompts).toContain('greet');
  // Values that a server accepts are not changed.
  expect(tools).toContain('x\u200b');
  for (const text of [tools.replaceAll('x\u200b', ''), resources, prompts]) {
    expect(text).toContain('a�[2J���b');
    expect(text).not.toMatch(/[\u202a-\u202e\u2066-\u2069\u200b\ufeff\u{e0000}-\u{e007f}]|\\u00(0[0-8b-f]|1|7f|8|9)/u);
  }
});
