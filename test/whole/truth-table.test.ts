/** All 144 rows of the truth table over HTTP, with real tokens and with keys, at every entry point. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CapabilityKind, Role } from '../../src/types/access.ts';
import { roles } from '../../src/types/access.ts';
import { type Relation, type Row, rows } from '../auth/truth-table.ts';
import { chiefOf, type Companies, type Person, startCompanies } from './companies.ts';
import type { Answer } from './gateway.ts';
import { startToolServer, type ToolServer } from './tool-server.ts';

let companies: Companies;
let tools: ToolServer;
/** Each role has its own tenant, so that deletions do not affect others. */
const people = Object.fromEntries(
  roles.map((role): [Role, Person] => [role, { subject: `one-${role}`, tenant: `of-${role}`, roles: [role] }]),
) as Record<Role, Person>;
const keys = new Map<Role, string>();
const elsewhere = chiefOf('elsewhere');

const collections: Readonly<Record<CapabilityKind, string>> = { model: 'models', skill: 'skills', mcp: 'mcp-servers' };
/** Names of rows in a tenant; the row of another tenant does not exist there. */
const names: Readonly<Record<Relation, string>> = { own: 'own', granted: 'granted', other: 'other', 'other-tenant': 'elsewhere' };

const specOf = (kind: CapabilityKind): object =>
  ({
    model: { deployments: [{ provider: 'demo', model: 'echo' }] },
    skill: { description: 'Says something.', model: 'base', options: { instructions: 'Say something.' } },
    mcp: { kind: 'http', options: { url: tools.url } },
  })[kind];

async function furnish(chief: Person, owners: Readonly<Record<string, string | null>>): Promise<void> {
  await companies.must(chief, 'POST', '/api/providers', { name: 'demo', spec: { kind: 'demo' } });
  await companies.must(chief, 'POST', '/api/models', { name: 'base', spec: specOf('model') });
  for (const kind of Object.keys(collections) as CapabilityKind[]) {
    for (const [name, owner] of Object.entries(owners))
      await companies.must(chief, 'POST', `/api/${collections[kind]}`, { name, owner, spec: specOf(kind) });
  }
}

beforeAll(async () => {
  tools = await startToolServer();
  companies = await startCompanies();
  await furnish(elsewhere, { elsewhere: null });
  for (const person of Object.values(people)) {
    const chief = chiefOf(person.tenant);
    await furnish(chief, { own: person.subject, granted: 'somebody', other: 'somebody' });
    const given = ['model/granted', 'skill/granted', 'mcp/granted', 'model/base'];
    for (const capability of given) {
      const spec = { subject_type: 'user', subject: person.subject, capability, action: 'use' };
      await companies.must(chief, 'POST', '/api/grants', { spec });
    }
  }
  for (const role of roles) keys.set(role, (await companies.keyOf(people[role])).key);
});
afterAll(async () => {
  await companies[Symbol.asyncDispose]();
  await tools[Symbol.asyncDispose]();
});

const letters: Readonly<Record<number, string>> = { 200: 'A', 201: 'A', 204: 'A', 403: 'D', 404: 'N' };
const letterOf = (answer: Answer): string => letters[answer.status] ?? `${answer.status} ${answer.text}`;

type Send = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;

const hello = [{ role: 'user', content: 'Hi' }];

/** An MCP request over HTTP; a refusal may be in either. */
async function speak(send: Send, server: string, method: string, params: object): Promise<string> {
  const answer = await send(
    'POST',
    `/mcp/${server}`,
    { jsonrpc: '2.0', id: 1, method, params },
    { accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2025-06-18' },
  );
  if (answer.status !== 200) return letterOf(answer);
  const line = answer.text.split('\n').find((each) => each.startsWith('data: {'));
  const message = JSON.parse(line?.slice('data: '.length) ?? answer.text) as {
    error?: { message: string };
    result?: { tools?: unknown[]; isError?: boolean };
  };
  if (message.error !== undefined) return /You may not (use|view) mcp\//.test(message.error.message) ? 'D' : message.error.message;
  if (message.result?.isError === true) return JSON.stringify(message.result);
  // A list omits what the caller may not view.
  return message.result?.tools?.length === 0 ? 'D' : 'A';
}

/** The entry points for viewing, using and managing; each returns the letter of its outcome. */
const ways: Readonly<Record<string, Readonly<Record<string, (send: Send, name: string) => Promise<string>>>>> = {
  'model view': {
    REST: async (send, name) => letterOf(await send('GET', `/api/models/${name}`)),
    '/v1/models': async (send, name) => letterOf(await send('GET', `/v1/models/${name}`)),
  },
  'model use': {
    chat: async (send, name) => letterOf(await send('POST', '/v1/chat/completions', { model: name, messages: hello })),
    'chat, streamed': async (send, name) =>
      letterOf(await send('POST', '/v1/chat/completions', { model: name, messages: hello, stream: true })),
    messages: async (send, name) => letterOf(await send('POST', '/v1/messages', { model: name, messages: hello, max_tokens: 10 })),
    responses: async (send, name) => letterOf(await send('POST', '/v1/responses', { model: name, input: 'Hi', store: false })),
  },
  'skill view': {
    REST: async (send, name) => letterOf(await send('GET', `/api/skills/${name}`)),
    '/v1/skills': async (send, name) => letterOf(await send('GET', `/v1/skills/${name}`)),
    '/v1/models': async (send, name) => letterOf(await send('GET', `/v1/models/skill/${name}`)),
  },
  'skill use': {
    chat: async (send, name) => letterOf(await send('POST', '/v1/chat/completions', { model: `skill/${name}`, messages: hello })),
    run: async (send, name) => letterOf(await send('POST', `/v1/skills/${name}/runs`, { input: { text: 'Hi' } })),
  },
  'mcp view': {
    REST: async (send, name) => letterOf(await send('GET', `/api/mcp-servers/${name}`)),
    '/mcp': (send, name) => speak(send, name, 'tools/list', {}),
  },
  'mcp use': {
    '/mcp': (send, name) => speak(send, name, 'tools/call', { name: 'say', arguments: { by: 'mcp' } }),
    chat: async (send, name) =>
      letterOf(
        await send('POST', '/v1/chat/completions', { model: 'base', messages: hello, tools: [{ type: 'mcp', server_label: name }] }),
      ),
  },
};

for (const [kind, path] of Object.entries(collections)) {
  Object.assign(ways, {
    [`${kind} manage`]: {
      update: async (send: Send, name: string) =>
        letterOf(await send('PUT', `/api/${path}/${name}`, { spec: specOf(kind as CapabilityKind) })),
      delete: async (send: Send, name: string) => letterOf(await send('DELETE', `/api/${path}/${name}`)),
    },
  });
}

/** The entry points whose outcome differs from `expected`. */
async function walk({ kind, action, relation, expected }: Row, send: Send, leaveOut: readonly string[] = []): Promise<string[]> {
  const callsBefore = tools.inputs.length;
  const found: string[] = [];
  for (const [way, go] of Object.entries(ways[`${kind} ${action}`] ?? {}))
    if (!leaveOut.includes(way)) found.push(`${way}: ${await go(send, names[relation])}`);
  if (expected !== 'A' && tools.inputs.length !== callsBefore) found.push('a tool was reached');
  return found.length === 0 ? ['no way'] : found.filter((each) => !each.endsWith(`: ${expected}`));
}

/** A viewer may not use the model either, whatever tool goes with it. */
const notFor = ({ role, kind }: Row): readonly string[] => (role === 'viewer' && kind === 'mcp' ? ['chat'] : []);

describe('the truth table, with keys', () => {
  it.each(rows)('$role, $kind, $action, $relation', async (row) => {
    const send: Send = (...request) => companies.with(keys.get(row.role) ?? '', ...request);
    // Keys are accepted only for calls, and cannot manage anything.
    const wrong = row.action === 'manage' ? await walk({ ...row, expected: 'D' }, send) : await walk(row, send, ['REST', ...notFor(row)]);
    expect(wrong).toEqual([]);
  });
});

describe('a call without permission to use', () => {
  const file = (model: string): string =>
    `--b\r\ncontent-disposition: form-data; name="model"\r\n\r\n${model}\r\n--b\r\ncontent-disposition: form-data; name="file"; filename="a.wav"\r\ncontent-type: audio/wav\r\n\r\nx\r\n--b--\r\n`;
  /** The smallest valid body of each call route. */
  const calls: Readonly<Record<string, (model: string) => unknown>> = {
    '/v1/chat/completions': (model) => ({ model, messages: hello }),
    '/v1/messages': (model) => ({ model, messages: hello, max_tokens: 10 }),
    '/v1/messages/count_tokens': (model) => ({ model, messages: hello }),
    '/v1/responses': (model) => ({ model, input: 'Hi' }),
    '/v1/responses/compact': (model) => ({ model, input: 'Hi' }),
    '/v1/embeddings': (model) => ({ model, input: 'Hi' }),
    '/v1/rerank': (model) => ({ model, query: 'x', documents: ['x'] }),
    '/v1/images/generations': (model) => ({ model, prompt: 'x' }),
    '/v1/audio/speech': (model) => ({ model, input: 'x', voice: 'x' }),
    '/v1/audio/transcriptions': file,
  };

  it('is refused at every address, by a handler or at admission', async () => {
    const { paths } = (await companies.gateway.as(null, 'GET', '/openapi.json')).json as { paths: Record<string, object> };
    const known = Object.entries(paths).flatMap(([path, methods]) => ('post' in methods && path.startsWith('/v1/') ? [path] : []));
    expect(Object.keys(calls).concat('/v1/skills/{name}/runs').toSorted()).toEqual(known.toSorted());
    const nobody: Person = { subject: 'nobody', tenant: 'of-viewer', roles: ['admin'], codes: ['read', 'email'] };
    const otherPerson: Person = { subject: 'stranger', tenant: 'of-viewer', roles: [], codes: ['llm:*:*'] };
    const post = async (path: string, person: Person, model: string): Promise<number> => {
      const body = calls[path]?.(model);
      const headers: Record<string, string> = typeof body === 'string' ? { 'content-type': 'multipart/form-data; boundary=b' } : {};
      return (await companies.as(person, 'POST', path, body, headers)).status;
    };
    for (const path of Object.keys(calls)) {
      for (const person of [people.viewer, nobody, otherPerson]) expect(await post(path, person, 'other'), path).toBe(403);
      expect(await post(path, nobody, 'nothing'), path).toBe(403);
      expect(await post(path, people.viewer, 'nothing'), path).toBe(404);
    }
    for (const person of [people.viewer, nobody, otherPerson])
      expect((await companies.as(person, 'POST', '/v1/skills/other/runs', { input: { text: 'x' } })).status).toBe(403);
  });
});

// Last, because managed rows are deleted.
describe('the truth table, with tokens', () => {
  it.each(rows)('$role, $kind, $action, $relation', async (row) => {
    const wrong = await walk(row, (...request) => companies.as(people[row.role], ...request), notFor(row));
    expect(wrong).toEqual([]);
  });
});
