/** Isolation of tenants: an id of another tenant is answered like an unknown id, at every endpoint. Endpoints with ids are read from the OpenAPI document, so that new ones are covered. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chiefOf, type Companies, type Person, startCompanies } from './companies.ts';
import { type Answer, eventually } from './gateway.ts';
import { collectionKinds, kindsAt, type Kind, type Operation, operationsOf, type Place, referencesIn } from './id-parameters.ts';
import { startToolServer, type ToolServer } from './tool-server.ts';

let companies: Companies;
let tools: ToolServer;
let operations: Operation[];
const theirs = {} as Record<Kind, string>;
const ours = {} as Partial<Record<Kind, string>>;
const them = chiefOf('theirs');
const us = chiefOf('ours');
const people: Readonly<Record<string, Person>> = {
  admin: us,
  developer: { subject: 'our-developer', tenant: 'ours', roles: ['developer'] },
  user: { subject: 'our-user', tenant: 'ours', roles: ['user'] },
};
let key: string;

/** An unknown id: the last character is changed. */
const unknownFor = (id: string): string => `${id.slice(0, -1)}${id.endsWith('1') ? '2' : '1'}`;

const hello = [{ role: 'user', content: 'Hi' }];
const modelSpec = { deployments: [{ provider: 'demo', model: 'echo' }] };
const specs = (): Readonly<Record<string, object>> => ({
  providers: { kind: 'demo' },
  models: modelSpec,
  skills: { description: 'x', model: 'base', options: { instructions: 'x' } },
  'mcp-servers': { kind: 'http', options: { url: tools.url } },
  teams: { role: 'ci' },
  'service-accounts': { roles: ['ci'] },
  limits: { subject_type: 'user', requests_per_minute: 1_000_000 },
  grants: { subject_type: 'user', subject: 'somebody', capability: 'model/base', action: 'use' },
});

const mcpHeaders = { accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2025-06-18' };

/** Creates rows in a tenant and returns their ids. */
async function createRows(chief: Person, nameOf: (kind: string) => string, found: Partial<Record<Kind, string>>): Promise<void> {
  await companies.must(chief, 'POST', '/api/providers', { name: 'demo', spec: { kind: 'demo' } });
  await companies.must(chief, 'POST', '/api/models', { name: 'base', spec: modelSpec });
  for (const [collection, spec] of Object.entries(specs())) {
    const kind = collectionKinds[collection] as Kind;
    found[kind] = nameOf(kind);
    await companies.must(chief, 'POST', `/api/${collection}`, { name: found[kind], spec });
  }
  found.key = (await companies.keyOf(chief)).id;
  found.response = String((await companies.must(chief, 'POST', '/v1/responses', { model: found.model, input: 'Hi' })).json.id);
  const run = await eventually(
    async () => (await companies.as(chief, 'GET', '/api/runs')).json.data[0] as { id: string; started_at: string } | undefined,
    (first) => first !== undefined,
  );
  found.run = run?.id ?? '';
  found['run cursor'] = `${Date.parse(run?.started_at ?? '')}.${run?.id}`;
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } };
  const opened = await companies.as(chief, 'POST', '/mcp', { jsonrpc: '2.0', id: 1, method: 'initialize', params }, mcpHeaders);
  found['mcp session'] = opened.headers.get('mcp-session-id') ?? '';
  expect(found['mcp session']).not.toBe('');
  found.person = chief.subject;
  found.request = nameOf('request');
  await companies.as(chief, 'PUT', `/api/models/${found.model}`, { spec: modelSpec }, { 'x-request-id': found.request });
  found['audit entry'] = String((await companies.must(chief, 'GET', '/api/audit')).json.data[0].id);
  found['skill as model'] = `skill/${found.skill}`;
  found['model reference'] = `model/${found.model}`;
  found['skill reference'] = `skill/${found.skill}`;
  found['server reference'] = `mcp/${found.server}`;
}

/** All rows of the other tenant, as its administrator sees them. */
async function rowsOf(chief: Person): Promise<unknown[]> {
  const seen: unknown[] = [];
  for (const path of ['providers', 'models', 'skills', 'mcp-servers', 'limits', 'grants', 'keys', 'teams', 'service-accounts'])
    seen.push((await companies.must(chief, 'GET', `/api/${path}?limit=500`)).json);
  seen.push((await companies.must(chief, 'GET', `/v1/responses/${theirs.response}`)).json);
  const sessions = (await companies.must(chief, 'GET', '/api/mcp-sessions')).json.data as { id: string }[];
  seen.push(sessions.map(({ id }) => id));
  return seen;
}

beforeAll(async () => {
  tools = await startToolServer();
  companies = await startCompanies();
  await createRows(them, (kind) => `their-${kind}-1`, theirs);
  // Different names, because similar names are suggested in errors.
  await createRows(us, (kind) => `q${kind.length}x${kind.codePointAt(0)}`, ours);
  key = (await companies.keyOf(us)).key;
  operations = operationsOf((await companies.gateway.as(null, 'GET', '/openapi.json')).json);
});
afterAll(async () => {
  await companies[Symbol.asyncDispose]();
  await tools[Symbol.asyncDispose]();
});

/** The smallest valid body of a route. */
function bodyFor(method: string, path: string): object | undefined {
  if (method === 'GET' || method === 'DELETE') return undefined;
  const collection = path.split('/')[2] ?? '';
  const spec = specs()[collection];
  if (path.startsWith('/mcp')) return { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} };
  if (path.endsWith('/runs')) return { input: { text: 'x' } };
  if (path.endsWith('/owner')) return { owner: 'somebody' };
  if (path === '/api/providers/test') return { spec, model: 'echo' };
  if (path.endsWith('/test')) return { spec };
  if (spec !== undefined && path.startsWith('/api/')) return method === 'PUT' ? { spec } : { name: `new-${collection}`, spec };
  if (path.endsWith('/items/approve')) return { items: [{ kind: 'tool', name: 'say', digest: '0'.repeat(64) }] };
  if (path.includes('/tools/')) return { enabled: true };
  const calls: Readonly<Record<string, object>> = {
    '/v1/messages': { messages: hello, max_tokens: 10 },
    '/v1/responses': { input: 'Hi', store: false },
    '/v1/embeddings': { input: 'Hi' },
    '/v1/rerank': { query: 'x', documents: ['x'] },
    '/v1/images/generations': { prompt: 'x' },
    '/v1/audio/speech': { input: 'x', voice: 'x' },
    '/api/keys': {},
    '/api/keys/{id}/rotate': {},
    '/api/config/rollback': { revision: 0, only: { kind: 'model' } },
  };
  return { ...(path.startsWith('/v1/') ? { model: 'base' } : {}), ...(calls[path] ?? { messages: hello }) };
}

/** A copy of `body` with `value` at the path. */
function withAt(body: unknown, path: readonly string[], value: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (step === '[]') {
    const [first, ...others] = Array.isArray(body) ? (body as unknown[]) : [];
    return [withAt(first, rest, value), ...others];
  }
  return { ...(body as object | undefined), [step]: withAt((body as Record<string, unknown> | undefined)?.[step], rest, value) };
}

interface Request {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

function requestAt({ method, path, at }: Place, kind: Kind, id: string): Request {
  const [where, name = ''] = at.split(/:(.*)/s);
  const own = collectionKinds[path.split('/')[2] ?? ''];
  const address = path.replaceAll(/\{(.+?)\}/g, (_all, each: string) =>
    encodeURIComponent(where === 'path' && name === each ? id : ((each === 'server' ? ours.server : own && ours[own]) ?? '')),
  );
  let body: unknown = bodyFor(method, path);
  if (where === 'body') body = withAt(body, name.replaceAll('[]', '.[]').split('.'), id);
  if (at === 'body:spec.subject' && kind === 'key') body = withAt(body, ['spec', 'subject_type'], 'key');
  if (at === 'body:spec.fallbacks[].model') body = withAt(body, ['spec', 'fallbacks', '[]', 'on'], ['error']);
  const more = path === '/api/explain' && name === 'as' ? '&capability=model/base' : '';
  return { method, path: where === 'query' ? `${address}?${name}=${encodeURIComponent(id)}${more}` : address, body };
}

const changing =
  /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|"(?:request_id|at|id|key|hint|hash)":"[^"]*"|(?:resp|msg|chatcmpl)[-_][0-9a-f]+|\d{4}-\d\d-\d\dT[0-9:.]+Z|"(?:revision|duration_ms|created|created_at|before|after)":\d+|20\d{6,}/g;

/** The visible parts of an answer, without the id and without values that change with time. */
function visibleParts({ status, headers, text }: Answer, id: string): object {
  // `skill/greet` also appears as "greet".
  const spellings = [id, encodeURIComponent(id), id.slice(id.indexOf('/') + 1)];
  const blank = (words: string): string =>
    spellings.reduce((left, spelling) => left.replaceAll(spelling, '<id>'), words).replaceAll(changing, '<>');
  return { status, text: blank(text), type: headers.get('content-type'), allow: headers.get('allow'), etag: headers.has('etag') };
}

type Send = (request: Request) => Promise<Answer>;

function sendersFor(path: string): [string, Send][] {
  const headersFor = (request: Request): Record<string, string> => ({
    ...(request.path.startsWith('/mcp') ? mcpHeaders : {}),
    ...(typeof request.body === 'string' ? { 'content-type': 'multipart/form-data; boundary=b' } : {}),
  });
  const senders = Object.entries(people).map(([name, person]): [string, Send] => [
    name,
    (request) => companies.as(person, request.method, request.path, request.body, headersFor(request)),
  ]);
  if (/^\/(v1|mcp)\b/.test(path))
    senders.push(['key', (request) => companies.with(key, request.method, request.path, request.body, headersFor(request))]);
  return senders;
}

/** Sends the same request with both ids, and deletes created rows. */
async function bothAnswers(
  send: Send,
  id: string,
  requestWith: (id: string) => Request,
  unknown = unknownFor(id),
): Promise<[object, object]> {
  const answers: object[] = [];
  for (const each of [id, unknown]) {
    const request = requestWith(each);
    const answer = await send(request);
    answers.push(visibleParts(answer, each));
    if (answer.status !== 201) continue;
    const made = answer.json as { id: string; name?: string };
    await companies.must(us, 'DELETE', `${request.path}/${encodeURIComponent(made.name ?? made.id)}`);
  }
  return answers as [object, object];
}

// First, because later tests use their names in our tenant.
it('no list of one tenant contains rows of another', async () => {
  const lists = operations.filter(
    ({ method, path }) => method === 'GET' && !path.includes('{') && !/^\/(mcp|auth|docs|metrics)/.test(path),
  );
  expect(lists.length).toBeGreaterThan(20);
  for (const { path } of lists) {
    for (const person of Object.values(people)) {
      const { text } = await companies.as(person, 'GET', path);
      expect(text, path).not.toMatch(/their-|of-theirs/);
    }
  }
});

describe('an id of another tenant', () => {
  it('has a rule for every string parameter', () => {
    expect(operations.length).toBeGreaterThan(70);
    const silent = referencesIn(operations).filter((place) => kindsAt(place) === undefined);
    expect(silent.map(({ method, path, at }) => `${method} ${path} ${at}`)).toEqual([]);
  });

  it('has a rule for every route without a described body', () => {
    const bare = operations.filter(({ method, requestBody }) => /^(POST|PUT|PATCH)$/.test(method) && requestBody === undefined);
    // Their bodies are tested separately below, or they have none.
    expect(bare.map(({ path }) => path).toSorted()).toEqual([
      '/api/mcp-servers/{name}/account',
      '/api/mcp-servers/{name}/sync',
      '/api/people/{id}/unblock',
      '/auth/backchannel-logout',
      '/auth/exchange',
      '/auth/logout',
      '/mcp',
      '/mcp/{server}',
    ]);
  });

  it('is answered like an unknown id, at every endpoint and for every role', async () => {
    const before = await rowsOf(them);
    let tried = 0;
    // Reads first, because created rows appear in the audit.
    const inOrder = referencesIn(operations).toSorted((one, other) => Number(other.method === 'GET') - Number(one.method === 'GET'));
    for (const place of inOrder) {
      for (const kind of kindsAt(place) ?? []) {
        for (const [who, send] of sendersFor(place.path)) {
          const [one, other] = await bothAnswers(send, theirs[kind], (id) => requestAt(place, kind, id));
          expect(one, `${who}: ${place.method} ${place.path} ${place.at} (${kind})`).toEqual(other);
          tried++;
        }
      }
    }
    expect(tried).toBeGreaterThan(200);
    expect(await rowsOf(them), 'something of theirs was changed').toEqual(before);
  }, 240_000);

  it('is answered so too for undescribed fields of a body', async () => {
    const post = (path: string, body: unknown): Request => ({ method: 'POST', path, body });
    const chat = (more: object): Request => post('/v1/chat/completions', { model: 'base', messages: hello, ...more });
    const file = (model: string): string =>
      `--b\r\ncontent-disposition: form-data; name="model"\r\n\r\n${model}\r\n--b\r\ncontent-disposition: form-data; name="file"; filename="a.wav"\r\n\r\nx\r\n--b--\r\n`;
    const item = `msg_${theirs.response.slice('resp_'.length)}0000`;
    const call = (name: string) => ({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } });
    const more: readonly [string, string, (id: string) => Request][] = [
      ['a server for a chat', theirs.server, (id) => chat({ tools: [{ type: 'mcp', server_label: id }] })],
      [
        'a server for a response',
        theirs.server,
        (id) => post('/v1/responses', { model: 'base', input: 'x', tools: [{ type: 'mcp', server_label: id }] }),
      ],
      ['a skill for a chat', theirs.skill, (id) => chat({ tools: [{ type: 'skill', name: id }] })],
      ['an item of a response', item, (id) => post('/v1/responses', { model: 'base', input: [{ type: 'item_reference', id }] })],
      ['a tool at /mcp', `${theirs.server}__say`, (id) => post('/mcp', call(id))],
      ['the model for a recording', theirs.model, (id) => post('/v1/audio/transcriptions', file(id))],
      [
        'tools of a skill',
        theirs.server,
        (id) => post('/api/skills', { name: 'new-skill', spec: { ...specs()['skills'], options: { instructions: 'x', tools: [id] } } }),
      ],
      [
        'a stored secret',
        theirs.provider,
        (id) => post('/api/providers/test', { spec: { kind: 'openai', options: { api_key: '***' } }, model: 'x', name: id }),
      ],
    ];
    for (const [what, theirId, requestWith] of more) {
      // The last character of a tool is not that of its server.
      const unknown = what === 'a tool at /mcp' ? `${unknownFor(theirs.server)}__say` : undefined;
      for (const [who, send] of sendersFor(requestWith('x').path)) {
        const [one, other] = await bothAnswers(send, theirId, requestWith, unknown);
        expect(one, `${who}: ${what}`).toEqual(other);
      }
    }
  });

  it('is only a point in the own history when it is a revision', async () => {
    const { json } = await companies.as(us, 'GET', '/api/config/revision');
    const mine = (await companies.as(us, 'GET', '/api/config/history?limit=500')).json.data as { revision: number }[];
    const revisions = new Set(mine.map(({ revision }) => revision));
    const foreign = Array.from({ length: Number(json.revision) }, (_, index) => index + 1).filter((each) => !revisions.has(each));
    expect(foreign.length).toBeGreaterThan(5);
    const before = await rowsOf(them);
    expect((await companies.as(us, 'POST', '/api/config/rollback', { revision: foreign[1] })).status).toBe(200);
    expect(await rowsOf(them)).toEqual(before);
  });
});
