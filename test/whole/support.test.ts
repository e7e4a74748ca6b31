/** What helps to find out what happened: trace ids, reasons, tests of drafts, pasted keys, explanations. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, freePort, startGateway, type TestGateway } from './gateway.ts';
import { answerOk, startVendor, type Vendor, type VendorRequest } from './vendor.ts';
import type { ServerResponse } from 'node:http';

let gateway: TestGateway;
let vendor: Vendor;
let gone: number;

const operations = ['chat', 'embeddings', 'rerank', 'images', 'speech', 'transcriptions'];

function answer({ path }: VendorRequest, response: ServerResponse): void {
  const json = (body: unknown) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  if (path.endsWith('/embeddings')) json({ data: [{ index: 0, embedding: [1, 2, 3] }], usage: { prompt_tokens: 2, total_tokens: 2 } });
  else if (path.endsWith('/rerank')) json({ results: [0, 1].map((index) => ({ index, relevance_score: 1 - index })) });
  else if (path.endsWith('/images/generations')) json({ created: 1, data: [{ b64_json: 'AAAA' }] });
  else if (path.endsWith('/audio/speech')) response.writeHead(200, { 'content-type': 'audio/mpeg' }).end(Buffer.alloc(9));
  else if (path.endsWith('/audio/transcriptions')) json({ text: '' });
  else answerOk({ path } as VendorRequest, response);
}

beforeAll(async () => {
  gateway = await startGateway();
  vendor = await startVendor();
  vendor.behave(answer);
  gone = await freePort();
  const addresses = { good: vendor.url, dead: `http://127.0.0.1:${gone}/v1`, lost: 'http://no-such-host.invalid/v1' };
  for (const [name, base_url] of Object.entries(addresses)) {
    const options = { base_url, api_key: 'Bearer sk-pasted' };
    const provider = await gateway.as('admin', 'POST', '/api/providers', { name, spec: { kind: 'openai-compatible', options } });
    expect([name, provider.status]).toEqual([name, 201]);
    const spec = { operations, deployments: [{ provider: name, model: 'm' }], retry: { same: 0 } };
    expect((await gateway.as('admin', 'POST', '/api/models', { name, spec })).status).toBe(201);
  }
  const proxied = { base_url: vendor.url, proxy: `http://127.0.0.1:${gone}` };
  const behind = { name: 'behind', spec: { kind: 'openai-compatible', options: proxied } };
  expect((await gateway.as('admin', 'POST', '/api/providers', behind)).status).toBe(201);
  const spec = { deployments: [{ provider: 'behind', model: 'm' }], retry: { same: 0 } };
  expect((await gateway.as('admin', 'POST', '/api/models', { name: 'behind', spec })).status).toBe(201);
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});

const messages = [{ role: 'user', content: 'hi' }];
const bodies: [path: string, body: object][] = [
  ['/v1/chat/completions', { messages }],
  ['/v1/chat/completions', { messages, stream: true }],
  ['/v1/messages', { messages, max_tokens: 9 }],
  ['/v1/responses', { input: 'hi' }],
  ['/v1/embeddings', { input: 'hi' }],
  ['/v1/rerank', { query: 'a', documents: ['b'] }],
  ['/v1/images/generations', { prompt: 'x' }],
  ['/v1/audio/speech', { input: 'x', voice: 'v' }],
];

describe('a failure', () => {
  it.each(bodies)('at %s (%j) carries the trace id of its run in the ledger', async (path, body) => {
    const { status, headers } = await gateway.as('developer', 'POST', path, { ...body, model: 'dead' });
    expect(status).toBe(503);
    const trace = headers.get('x-pailou-trace-id') ?? 'none';
    const run = await eventually(
      () => gateway.as('developer', 'GET', `/api/runs/${trace}`),
      (found) => found.status === 200,
    );
    expect(run.json).toMatchObject({ id: trace, request_id: headers.get('x-request-id'), outcome: 'error', error: 'upstream_unavailable' });
  });

  it.each([
    ['a wrong host', 'lost', /host_unknown|dns_unavailable/],
    ['a dead server', 'dead', /connection_refused/],
    ['a proxy that is down', 'behind', /proxy_unreachable/],
  ])('says that it is %s, in the ledger and in the test of a draft, and to callers nothing of it', async (_what, model, reason) => {
    const { headers, text } = await gateway.as('developer', 'POST', '/v1/chat/completions', { model, messages });
    expect(text).not.toMatch(/127\.0\.0\.1|invalid/);
    const trace = headers.get('x-pailou-trace-id') ?? 'none';
    const run = await eventually(
      () => gateway.as('admin', 'GET', `/api/runs/${trace}`),
      (found) => found.status === 200,
    );
    expect(JSON.parse(run.json.attempts[0].detail)).toMatchObject({ reason: expect.stringMatching(reason), code: expect.any(String) });
    const { json: row } = await gateway.as('admin', 'GET', `/api/providers/${model}`);
    const tried = await gateway.as('admin', 'POST', '/api/providers/test', { name: model, spec: row.spec, model: 'm' });
    expect(tried.json).toMatchObject({ ok: false, error: { code: 'upstream_unavailable', reason: expect.stringMatching(reason) } });
    expect(tried.json.error.message).toMatch(/proxy|port|host/i);
  });
});

describe('the test of a draft', () => {
  const test = async (more: object) => {
    const { json: row } = await gateway.as('admin', 'GET', '/api/models/good');
    return (await gateway.as('admin', 'POST', '/api/models/test', { spec: { ...row.spec, ...more } })).json;
  };

  it.each([
    ['chat', '/v1/chat/completions', 'ok'],
    ['embeddings', '/v1/embeddings', 'A vector of 3 numbers.'],
    ['rerank', '/v1/rerank', '2 documents in order.'],
    ['images', '/v1/images/generations', 'application/json, '],
    ['speech', '/v1/audio/speech', 'audio/mpeg, 9 bytes.'],
    ['transcriptions', '/v1/audio/transcriptions', 'application/json, '],
  ])('tries %s with the operation that the model has', async (operation, path, said) => {
    vendor.requests.length = 0;
    const verdict = await test({ operations: [operation] });
    expect(verdict).toMatchObject({ ok: true, operation, answer: expect.stringContaining(said), deployment: 'draft#good/m' });
    expect(vendor.requests.map((request) => request.path)).toEqual([path]);
  });

  it('does not take JSON for sound', async () => {
    vendor.behave((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ audio: 'UklGRg==' }));
    });
    expect(await test({ operations: ['speech'] })).toMatchObject({
      ok: false,
      operation: 'speech',
      error: { code: 'upstream_invalid_response', message: expect.stringContaining('application/json in place of sound') },
    });
    vendor.behave(answer);
  });

  it('tries a provider with the operation that is asked for', async () => {
    const { json: row } = await gateway.as('admin', 'GET', '/api/providers/good');
    const body = { name: 'good', spec: row.spec, model: 'm', operation: 'embeddings' };
    expect((await gateway.as('admin', 'POST', '/api/providers/test', body)).json).toMatchObject({ ok: true, operation: 'embeddings' });
  });
});

describe('a pasted "Bearer …"', () => {
  it('in a key of a vendor is not sent twice', async () => {
    vendor.requests.length = 0;
    await gateway.as('developer', 'POST', '/v1/chat/completions', { model: 'good', messages });
    expect(vendor.requests[0]?.headers.authorization).toBe('Bearer sk-pasted');
  });

  it("in a client's key field is understood", async () => {
    const token = await gateway.token('user');
    for (const headers of [{ authorization: `Bearer Bearer ${token}` }, { 'x-api-key': `Bearer ${token}` }]) {
      const answered = await fetch(`${gateway.url}/api/me`, { headers: headers as Record<string, string> });
      expect(answered.status).toBe(200);
    }
  });
});

it('has the error shape of the address, whatever version header a client sends', async () => {
  const headers = { 'anthropic-version': '2023-06-01' };
  const chat = await gateway.as('developer', 'POST', '/v1/chat/completions', { model: 'none', messages }, headers);
  expect(Object.keys(chat.json.error).toSorted()).toEqual(['code', 'message', 'param', 'type']);
  const list = await gateway.as('developer', 'GET', '/v1/models/none', undefined, headers);
  expect(list.json).toMatchObject({ type: 'error', error: { type: 'not_found_error' } });
});

describe('an explanation for people who were not seen yet', () => {
  const explain = (query: string, role: 'admin' | 'developer' = 'admin') => gateway.as(role, 'GET', `/api/explain?${query}`);

  it('follows from roles, codes and tenant', async () => {
    const on = 'capability=model/good&action=use';
    expect((await explain(`${on}&roles=developer`)).json).toMatchObject({
      allowed: true,
      rule: 'role',
      roles: ['developer'],
      subject: null,
    });
    expect((await explain(`${on}&roles=user`)).json).toMatchObject({ allowed: false, rule: 'grant' });
    expect((await explain(`${on}&roles=user&permissions=llm:model:view`)).json).toMatchObject({ allowed: false, rule: 'code' });
    expect((await explain(`${on}&roles=admin&tenant=elsewhere`)).json).toMatchObject({ allowed: false, status: 404, tenant: 'elsewhere' });
    const grant = { spec: { subject_type: 'user', subject: 'new-colleague', capability: 'model/good', action: 'use' } };
    const { json } = await gateway.as('admin', 'POST', '/api/grants', grant);
    expect((await explain(`${on}&roles=user&as=new-colleague`)).json).toMatchObject({ allowed: true, rule: `grant:${json.name}` });
    expect((await explain(`${on}&as=nobody-yet`)).json.error.message).toContain('roles=');
  });

  it('is for administrators, and names what is wrong', async () => {
    expect((await explain('capability=model/good&roles=user', 'developer')).status).toBe(403);
    expect((await explain('capability=model/good&tenant=x')).json.error.param).toBe('tenant');
    expect((await explain('capability=model/good&roles=user&permissions=llm:model:fly')).status).toBe(400);
  });
});
