/** Cached answers over HTTP: their sharing, what is cached and what never is, and their runs in the ledger. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { audience, makeKey, type OauthService, type SigningKey, startOauthService } from '../auth/oauth-service.ts';
import { type Answer, eventually, startGateway, type TestGateway } from './gateway.ts';
import { nodePrograms } from './stdio-programs.ts';
import { chunks, completion, startVendor, type Vendor, type VendorRequest } from './vendor.ts';
const everything = join(import.meta.dirname, '../node_modules/@modelcontextprotocol/server-everything/dist/index.js');
let service: OauthService;
let signer: SigningKey;
let gateway: TestGateway;
let vendor: Vendor;

const people = {
  chief: { tenant: 'default', roles: ['admin'] },
  ann: { tenant: 'default', roles: ['developer'] },
  bob: { tenant: 'default', roles: ['developer'] },
  eve: { tenant: 'default', roles: ['developer', 'editor'] },
  uma: { tenant: 'default', roles: ['user'] },
  far: { tenant: 'other', roles: ['admin'] },
} as const;
type Name = keyof typeof people;

const as = async (name: Name, method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> => {
  const { tenant, roles } = people[name];
  const token = await service.sign(signer, {
    sub: name,
    tenant_id: tenant,
    roles,
    scope: name === 'uma' ? 'llm:*:view llm:*:use' : 'llm:*:*',
  });
  return gateway.as(null, method, path, body, { authorization: `Bearer ${token}`, ...headers });
};
const price = { currency: 'USD', input: '1', output: '1' };
const set = async (name: Name, method: string, path: string, body?: unknown): Promise<void> => {
  const answer = await as(name, method, path, body);
  expect(answer.status, answer.text).toBeLessThan(300);
};
const model = (name: string, cache: object | undefined, more: object = {}) => ({
  name,
  spec: { deployments: [{ provider: 'vendor', model: 'up', price }], ...(cache === undefined ? {} : { cache }), ...more },
});

/** Each answer of the vendor is different, so that a cached one is recognized. */
let count = 0;
const answerOf = ({ body }: VendorRequest): string =>
  body.stream === true ? chunks(['answer ', String(++count)]).join('') : completion(`answer ${++count}`);

beforeAll(async () => {
  signer = await makeKey('k1');
  service = await startOauthService([signer]);
  gateway = await startGateway({
    ...nodePrograms([[everything, 'stdio']]),
    PAILOU_OAUTH_ISSUER: service.issuer,
    PAILOU_OAUTH_PRESET: 'generic',
    PAILOU_OAUTH_AUDIENCE: audience,
  });
  vendor = await startVendor();
  for (const name of ['chief', 'far'] as const) {
    await set(name, 'POST', '/api/providers', { name: 'vendor', spec: { kind: 'openai-compatible', options: { base_url: vendor.url } } });
    await set(name, 'POST', '/api/models', model('faq', {}));
  }
  await set('chief', 'POST', '/api/models', model('mine', { shared_by: 'user' }));
  await set('chief', 'POST', '/api/models', model('ours', { shared_by: 'tenant' }));
  await set('chief', 'POST', '/api/models', model('brief', { ttl_seconds: 1, max_bytes: 1_000 }));
  await set('chief', 'POST', '/api/models', model('plain', undefined));
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
  await service.stop();
});
beforeEach(() => {
  vendor.behave((request, response) => {
    response.writeHead(200, { 'content-type': request.body.stream === true ? 'text/event-stream' : 'application/json' });
    response.end(answerOf(request));
  });
});

const body = (content: string, more: object = {}) => ({ model: 'faq', messages: [{ role: 'user', content }], ...more });
const ask = (name: Name, content: string, more: object = {}, headers: Record<string, string> = {}): Promise<Answer> =>
  as(name, 'POST', '/v1/chat/completions', body(content, more), headers);
const mark = (answer: Answer): string | null => answer.headers.get('x-pailou-cache');
const said = (answer: Answer): string => answer.json.choices[0].message.content;
/** The number of vendor requests during `work`. */
const asked = async (work: () => Promise<unknown>): Promise<number> => {
  const before = vendor.requests.length;
  await work();
  return vendor.requests.length - before;
};

describe('a cached answer', () => {
  it('is shared by callers with the same roles and permissions only', async () => {
    const first = await ask('ann', 'roles');
    expect([mark(first), mark(await ask('ann', 'roles')), mark(await ask('bob', 'roles'))]).toEqual(['miss', 'hit', 'hit']);
    expect(said(await ask('bob', 'roles'))).toBe(said(first));
    const other = await ask('eve', 'roles');
    expect([mark(other), said(other) === said(first)]).toEqual(['miss', false]);
  });

  it('never crosses to another tenant, whose model has the same name, nor from it', async () => {
    for (const name of ['mine', 'ours'])
      await set('far', 'POST', '/api/models', model(name, { shared_by: name === 'mine' ? 'user' : 'tenant' }));
    for (const name of ['faq', 'mine', 'ours']) {
      const [here, there] = [await ask('chief', 'walls', { model: name }), await ask('far', 'walls', { model: name })];
      expect([mark(here), mark(there)], name).toEqual(['miss', 'miss']);
      expect(said(await ask('chief', 'walls', { model: name }))).toBe(said(here));
      expect(said(await ask('far', 'walls', { model: name }))).toBe(said(there));
    }
  });

  it('is private to one person, or shared in the tenant, as the model configures', async () => {
    expect(await asked(() => ask('ann', 'own', { model: 'mine' }))).toBe(1);
    expect([mark(await ask('ann', 'own', { model: 'mine' })), mark(await ask('bob', 'own', { model: 'mine' }))]).toEqual(['hit', 'miss']);
    expect(await asked(() => ask('ann', 'all', { model: 'ours' }))).toBe(1);
    expect([mark(await ask('bob', 'all', { model: 'ours' })), mark(await ask('eve', 'all', { model: 'ours' }))]).toEqual(['hit', 'hit']);
  });

  it('is not served to a caller who lost the permission for the model', async () => {
    expect((await ask('uma', 'right', { model: 'ours' })).status).toBe(403);
    await set('chief', 'POST', '/api/grants', {
      name: 'uma',
      spec: { subject_type: 'user', subject: 'uma', capability: 'model/ours', action: 'use' },
    });
    expect([mark(await ask('uma', 'right', { model: 'ours' })), mark(await ask('uma', 'right', { model: 'ours' }))]).toEqual([
      'miss',
      'hit',
    ]);
    await set('chief', 'DELETE', '/api/grants/uma');
    const refused = await ask('uma', 'right', { model: 'ours' });
    expect([refused.status, mark(refused), refused.text.includes('answer')]).toEqual([403, null, false]);
  });

  it('is dropped when the model or its provider changes, and when it expires', async () => {
    const state = async () => mark(await ask('ann', 'edit'));
    expect([await state(), await state()]).toEqual(['miss', 'hit']);
    const { spec } = model('faq', {}, { description: 'edited' });
    await set('chief', 'PUT', '/api/models/faq', { spec });
    expect([await state(), await state()]).toEqual(['miss', 'hit']);
    await set('chief', 'PUT', '/api/providers/vendor', {
      spec: { kind: 'openai-compatible', options: { base_url: vendor.url, api_key: 'new' } },
    });
    expect([await state(), await state()]).toEqual(['miss', 'hit']);
    const brief = async () => mark(await ask('ann', 'short', { model: 'brief' }));
    expect(await brief()).toBe('miss');
    await expect.poll(brief).toBe('hit');
    await expect.poll(brief).toBe('miss');
  });

  it('reports its age; a model without a cache has no cache headers', async () => {
    await ask('ann', 'age');
    await sleep(1_050);
    expect(Number((await ask('ann', 'age')).headers.get('age'))).toBeGreaterThanOrEqual(1);
    for (let call = 0; call < 2; call++) {
      const plain = await ask('ann', 'plain', { model: 'plain' });
      expect([mark(plain), plain.headers.get('age'), plain.headers.get('x-pailou-deployment')]).toEqual([null, null, 'plain#vendor/up']);
    }
  });

  it('is refreshed by no-cache, and bypassed by no-store', async () => {
    const first = said(await ask('ann', 'wishes'));
    const anew = await ask('ann', 'wishes', {}, { 'cache-control': 'no-cache' });
    expect([mark(anew), said(anew) === first]).toEqual(['miss', false]);
    expect(said(await ask('ann', 'wishes')), 'the new one is kept').toBe(said(anew));
    const notStored = await ask('ann', 'wishes', {}, { 'cache-control': 'max-age=0, No-Store' });
    expect([mark(notStored), said(notStored) === said(anew)]).toEqual([null, false]);
    expect(said(await ask('ann', 'wishes')), 'and that one is not').toBe(said(anew));
  });
});

describe('never kept', () => {
  it('is an answer of a call with server-side or vendor tools, or of a skill', async () => {
    await set('chief', 'POST', '/api/mcp-servers', {
      name: 'every',
      spec: { kind: 'stdio', options: { command: 'node', args: [everything, 'stdio'] } },
    });
    const options = { instructions: 'Say it.', input_schema: { type: 'object' } };
    await set('chief', 'POST', '/api/skills', { name: 'say', spec: { kind: 'prompt', description: 'Says it.', model: 'faq', options } });
    for (const more of [
      { tools: [{ type: 'mcp', server_label: 'every', allowed_tools: ['echo'] }] },
      { model: 'skill/say' },
      { tools: [{ type: 'web_search' }] },
      { store: true },
    ]) {
      const answers = [await ask('ann', '{"a":1}', more), await ask('ann', '{"a":1}', more)];
      expect(
        answers.map((answer) => [answer.status, mark(answer)]),
        JSON.stringify(more),
      ).toEqual([
        [200, null],
        [200, null],
      ]);
      expect(said(answers[0] as Answer)).not.toBe(said(answers[1] as Answer));
    }
  });

  it.each<[string, (request: VendorRequest) => string]>([
    ['cut', () => chunks(['Half ', 'of ', 'it']).slice(0, 3).join('')],
    [
      'ended by a filter',
      ({ body: { stream } }) => (stream === true ? chunks(['I '], 'content_filter').join('') : completion('I ', {}, 'content_filter')),
    ],
    [
      'too long',
      ({ body: { stream } }) => (stream === true ? chunks(Array<string>(200).fill('words ')).join('') : completion('words '.repeat(200))),
    ],
  ])('is an answer that was %s', async (what, answer) => {
    vendor.behave((request, response) => {
      response.writeHead(200, { 'content-type': request.body.stream === true ? 'text/event-stream' : 'application/json' });
      response.end(answer(request));
    });
    const stream = { model: 'brief', stream: true };
    const times = await asked(async () => {
      await ask('ann', what, stream);
      await ask('ann', what, stream);
    });
    expect(times).toBe(2);
  });

  it('is an answer with fewer choices than requested, or above the size limit', async () => {
    expect(
      await asked(async () => {
        await ask('ann', 'two of them', { n: 2 });
        await ask('ann', 'two of them', { n: 2 });
      }),
    ).toBe(2);
    vendor.behave(
      (_request, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end(completion('门'.repeat(400))),
    );
    expect(
      await asked(async () => {
        await ask('ann', 'gates', { model: 'brief' });
        await ask('ann', 'gates', { model: 'brief' });
      }),
    ).toBe(2);
  });

  it('is an error', async () => {
    vendor.behave(
      (_request, response) => void response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":{"message":"no"}}'),
    );
    for (let call = 0; call < 2; call++) expect(await asked(() => ask('ann', 'error'))).toBeGreaterThan(0);
    expect((await ask('ann', 'error')).status).toBe(400);
  });

  it('is the answer of a fallback, because the next caller may have no right to it', async () => {
    const spec = {
      deployments: [{ provider: 'vendor', model: 'down' }],
      cache: { shared_by: 'tenant' },
      fallbacks: [{ model: 'plain', on: ['overload', 'error'] }],
    };
    await set('chief', 'POST', '/api/models', { name: 'frail', spec });
    vendor.behave((request, response) => {
      if (request.body.model === 'down') return void response.writeHead(503).end();
      response.writeHead(200, { 'content-type': 'application/json' }).end(answerOf(request));
    });
    for (let call = 0; call < 2; call++) {
      const answer = await ask('ann', 'fall', { model: 'frail' });
      expect([answer.headers.get('x-pailou-deployment'), mark(answer)]).toEqual(['plain#vendor/up', 'miss']);
    }
  });

  it('is a stream that its caller left', async () => {
    vendor.behave((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunks(['One ', 'two']).slice(0, 2).join(''));
    });
    const { aborts } = vendor;
    const { tenant, roles } = people.ann;
    const token = await service.sign(signer, { sub: 'ann', tenant_id: tenant, roles, scope: 'llm:*:*' });
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify(body('left', { stream: true })),
    });
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    await expect.poll(() => vendor.aborts).toBe(aborts + 1);
    vendor.behave((request, answer) => void answer.writeHead(200, { 'content-type': 'application/json' }).end(answerOf(request)));
    expect(mark(await ask('ann', 'left'))).toBe('miss');
  });

  it('is the answer to a request in which numbers were lost', async () => {
    const raw = (seed: string) =>
      as('ann', 'POST', '/v1/chat/completions', `{"model":"faq","seed":${seed},"messages":[{"role":"user","content":"seed"}]}`);
    expect([mark(await raw('9007199254740993')), mark(await raw('9007199254740992'))]).toEqual([null, null]);
    expect(vendor.requests.at(-2)?.raw, 'and it is passed on untouched').toContain('9007199254740993');
  });
});

describe('a conversation that continues from a cached answer', () => {
  it('returns the vendor its reasoning, even if the answer was cached for another caller', async () => {
    await set('chief', 'POST', '/api/providers', {
      name: 'thinker',
      spec: { kind: 'deepseek', options: { base_url: vendor.url, api_key: 'k' } },
    });
    const spec = { deployments: [{ provider: 'thinker', model: 'deepseek-reasoner' }], cache: {} };
    await set('chief', 'POST', '/api/models', { name: 'thoughtful', spec });
    const call = { id: 'call_1', type: 'function', function: { name: 'look', arguments: '{}' } };
    vendor.behave((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(completion(null, { reasoning_content: 'Let me look.', tool_calls: [call] }, 'tool_calls'));
    });
    const more = { model: 'thoughtful', tools: [{ type: 'function', function: { name: 'look', parameters: {} } }] };
    await ask('ann', 'think', more);
    expect(mark(await ask('bob', 'think', more))).toBe('hit');
    // As strict clients that keep only fields of OpenAI's schema.
    const messages = [
      { role: 'user', content: 'think' },
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'call_1', content: 'seen' },
    ];
    await as('bob', 'POST', '/v1/chat/completions', { ...more, messages });
    expect(vendor.requests.at(-1)?.body.messages[1].reasoning_content).toBe('Let me look.');
  });
});

describe('the compared request', () => {
  it('is the one that the vendor gets: of a duplicate member, the value that was compared counts', async () => {
    const raw = (first: string) =>
      as('ann', 'POST', '/v1/chat/completions', `{"model":"faq","messages":[{"role":"user","content":"${first}","content":"twice"}]}`);
    expect(mark(await raw('poison'))).toBe('miss');
    expect(vendor.requests.at(-1)?.raw).not.toContain('poison');
    expect([mark(await ask('bob', 'twice')), mark(await raw('other'))]).toEqual(['hit', 'hit']);
  });

  it('ignores the order of members, white space and stream', async () => {
    await ask('ann', 'order', { temperature: 0 });
    const raw = `{ "temperature": 0.0, "messages": [ { "content": "order", "role": "user" } ], "model": "faq", "stream": true }`;
    expect(mark(await as('bob', 'POST', '/v1/chat/completions', raw))).toBe('hit');
    expect(mark(await ask('bob', 'order', { temperature: 0.1 }))).toBe('miss');
    expect(mark(await ask('bob', 'order', { temperature: 0, x_unknown: 1 }))).toBe('miss');
  });
});

describe('the ledger', () => {
  it('has each call, with one vendor call, and the tokens of cached answers as zero', async () => {
    await set('chief', 'POST', '/api/models', model('booked', {}));
    const times = await asked(async () => {
      for (const more of [{}, {}, { stream: true }]) await ask('ann', 'books', { model: 'booked', ...more });
    });
    expect(times).toBe(1);
    const runs = await eventually(
      async () => (await as('chief', 'GET', '/api/runs?capability=model/booked')).json.data as { id: string; deployment: string }[],
      (data) => data.length === 3,
    );
    const details = await Promise.all(runs.map(async ({ id }) => (await as('chief', 'GET', `/api/runs/${id}`)).json));
    const ledgerRows = details.map((run) => [
      run.deployment,
      run.outcome,
      run.usage.input_tokens,
      run.usage.output_tokens,
      run.cost,
      run.attempts.length,
    ]);
    expect(ledgerRows.toSorted(([one], [other]) => String(one).localeCompare(String(other)))).toEqual([
      ['booked#vendor/up', 'complete', 5, 2, 0.000007, 1],
      ['cache', 'complete', 0, 0, 0, 0],
      ['cache', 'complete', 0, 0, 0, 0],
    ]);
    expect(details.every((run) => run.subject === 'ann' && run.usage.estimated === false)).toBe(true);
    const usage = (await as('chief', 'GET', '/api/usage?by=deployment')).json.data as Record<string, unknown>[];
    expect(JSON.stringify(usage.find(({ deployment }) => deployment === 'cache'))).toMatch(/"unpriced":0.*"input_tokens":0.*"cost":0/);
    const metrics = (await as('chief', 'GET', '/metrics')).text;
    expect(metrics).toContain('pailou_cache_answers_total{capability="model/booked",result="miss"} 1');
    expect(metrics).toContain('pailou_cache_answers_total{capability="model/booked",result="hit"} 2');
  });

  it('counts a cached answer as a request, and serves it without tokens or money left', async () => {
    await set('chief', 'POST', '/api/models', model('scarce', {}));
    await set('chief', 'POST', '/api/limits', {
      name: 'scarce',
      spec: {
        subject_type: 'user',
        capability: 'model/scarce',
        requests_per_minute: 4,
        tokens_per_minute: 100,
        spend: { currency: 'USD', per_day: '0.0001' },
        expected_output_tokens: 1,
      },
    });
    // More than was estimated, and more than the limits allow.
    vendor.behave((_request, response) => {
      const long = completion('long').replace('"completion_tokens":2,"total_tokens":7', '"completion_tokens":200,"total_tokens":205');
      response.writeHead(200, { 'content-type': 'application/json' }).end(long);
    });
    const call = (content: string) => ask('ann', content, { model: 'scarce' });
    expect((await call('once')).status).toBe(200);
    expect((await call('something else')).status, 'nothing is left for another answer').toBe(429);
    const kept = await call('once');
    expect([kept.status, mark(kept), kept.headers.get('x-ratelimit-remaining-requests')]).toEqual([200, 'hit', '2']);
    expect([(await call('once')).status, (await call('once')).status]).toEqual([200, 200]);
    const refused = await call('once');
    expect([refused.status, refused.json.error.code, refused.headers.get('age')]).toEqual([429, 'rate_limited', null]);
  });
});
