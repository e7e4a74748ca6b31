/** Skills by every way in: the same result, the same rights, the same bounds, and each run booked. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Role } from '../../src/types/access.ts';
import { eventually, startGateway, type TestGateway } from './gateway.ts';
import { answerOk, completion, startVendor, type Vendor, type VendorRequest } from './vendor.ts';

const owned = new AsyncDisposableStack();
let gateway: TestGateway;
let vendor: Vendor;

const citySchema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false };
const skill = (more: object = {}, options: object = {}) => ({
  kind: 'prompt',
  description: 'Says something about a city.',
  model: 'scripted',
  options: { instructions: 'Speak about {{city}}.', input_schema: citySchema, ...options },
  ...more,
});
async function make(name: string, spec: object): Promise<void> {
  const made = await gateway.as('admin', 'POST', '/api/skills', { name, spec });
  expect(made.status, made.text).toBe(201);
}
/** A model that calls `tool` in its first answer and says what came back in its second. */
const calling = (tool: string, input: object) => (request: VendorRequest, response: Parameters<typeof answerOk>[1]) => {
  const results = (request.body.messages as { role: string; content: string }[]).filter(({ role }) => role === 'tool');
  const offers = ((request.body.tools ?? []) as { function: { name: string } }[]).some((each) => each.function.name === tool);
  if (results.length > 0 || !offers)
    return answerOk(request, response, results.length > 0 ? `It says: ${results.at(-1)?.content}` : 'Gardens.');
  const call = { id: 'c1', type: 'function', function: { name: tool, arguments: JSON.stringify(input) } };
  response.writeHead(200, { 'content-type': 'application/json' }).end(completion(null, { tool_calls: [call] }, 'tool_calls'));
};

beforeAll(async () => {
  gateway = owned.use(await startGateway({ PAILOU_STDIO_COMMANDS: 'node' }));
  vendor = owned.use(await startVendor());
  await gateway.as('admin', 'POST', '/api/providers', {
    name: 'vendor',
    spec: { kind: 'openai-compatible', options: { base_url: vendor.url } },
  });
  await gateway.as('admin', 'POST', '/api/models', { name: 'scripted', spec: { deployments: [{ provider: 'vendor', model: 'm' }] } });
  await make('city', skill());
}, 30_000);
afterAll(() => owned.disposeAsync());
beforeEach(() => vendor.behave((request, response) => answerOk(request, response, 'Gardens.')));

const run = (name: string, input: unknown, more: object = {}, role: Role = 'developer') =>
  gateway.as(role, 'POST', `/v1/skills/${name}/runs`, { input, ...more });
const chat = (body: object, role: Role = 'developer') => gateway.as(role, 'POST', '/v1/chat/completions', body);
async function mcp(role: Role): Promise<Client & AsyncDisposable> {
  const client = new Client({ name: 'test', version: '1' });
  const headers = { authorization: `Bearer ${await gateway.token(role)}` };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp`), { requestInit: { headers } }));
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() });
}

describe('one skill', () => {
  it('gives the same by all five ways', async () => {
    expect((await run('city', { city: 'Suzhou' })).json).toMatchObject({ status: 'completed', output: 'Gardens.', skill: 'city' });
    const asModel = await chat({ model: 'skill/city', messages: [{ role: 'user', content: '{"city":"Suzhou"}' }] });
    expect(asModel.json.choices[0].message.content).toBe('Gardens.');
    vendor.behave(calling('skill__city', { city: 'Suzhou' }));
    const spoken = await chat({ model: 'skill/city', temperature: 0, messages: [{ role: 'user', content: 'Suzhou' }] });
    expect(spoken.json.choices[0].message.content).toBe('Gardens.');
    expect(spoken.headers.get('x-pailou-warnings')).toContain('temperature');
    const asTool = await chat({ model: 'scripted', messages: [{ role: 'user', content: 'go' }], tools: [{ type: 'skill', name: 'city' }] });
    expect(asTool.json.choices[0].message.content).toBe('It says: Gardens.');
    expect(asTool.json.pailou.steps.map((step: { status: string; kind: string }) => [step.kind, step.status])).toEqual([
      ['skill', 'completed'],
    ]);
    // Two rounds of the model and the skill between them, 7 tokens each.
    expect(asTool.json.usage.total_tokens).toBe(21);
    await make('outer', skill({ tools: ['skill/city'] }));
    const within = await run('outer', { city: 'Suzhou' });
    expect(within.json).toMatchObject({ output: 'It says: Gardens.' });
    await using client = await mcp('developer');
    expect((await client.listTools()).tools.find(({ name }) => name === 'skill__city')).toMatchObject({ inputSchema: citySchema });
    expect((await client.callTool({ name: 'skill__city', arguments: { city: 'Suzhou' } })).content).toEqual([
      { type: 'text', text: 'Gardens.' },
    ]);
    const prompt = await client.getPrompt({ name: 'skill__city', arguments: { city: 'Suzhou' } });
    expect(JSON.stringify(prompt.messages)).toContain('Speak about Suzhou.');
  });

  it('tells its steps and words as they come, to the official client too', async () => {
    const streamed = await run('city', { city: 'Suzhou' }, { stream: true });
    expect(streamed.headers.get('content-type')).toContain('text/event-stream');
    expect([...streamed.text.matchAll(/^event: (\w+)/gm)].map(([, name]) => name)).toEqual(['started', 'delta', 'completed']);
    const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: await gateway.token('developer') });
    const stream = await client.chat.completions.create({
      model: 'skill/city',
      stream: true,
      messages: [{ role: 'user', content: '{"city":"Suzhou"}' }],
    });
    let text = '';
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    expect(text).toBe('Gardens.');
  });

  it('takes files as a form', async () => {
    await make(
      'filed',
      skill({}, { instructions: 'Read {{file.name}}: {{file.base64}}', input_schema: { type: 'object', required: ['file', 'note'] } }),
    );
    const form = new FormData();
    form.set('input', '{"note":"x"}');
    form.set('file', new File(['hello'], 'letter.txt', { type: 'text/plain' }));
    const headers = { authorization: `Bearer ${await gateway.token('developer')}` };
    const answer = await fetch(`${gateway.url}/v1/skills/filed/runs`, { method: 'POST', body: form, headers });
    expect(answer.status, await answer.clone().text()).toBe(200);
    expect(vendor.requests.at(-1)?.body.messages[0].content).toBe(`Read letter.txt: ${Buffer.from('hello').toString('base64')}`);
    const cut = await fetch(`${gateway.url}/v1/skills/filed/runs`, {
      method: 'POST',
      body: '--x\r\nContent-Disposition: form-data; name="input"\r\n\r\n{',
      headers: { ...headers, 'content-type': 'multipart/form-data; boundary=x' },
    });
    expect(cut.status).toBe(400);
    const send = async (fill: (made: FormData) => void) => {
      const made = new FormData();
      fill(made);
      const answered = await fetch(`${gateway.url}/v1/skills/filed/runs`, { method: 'POST', body: made, headers });
      return { status: answered.status, error: ((await answered.json()) as { error?: { message: string } }).error?.message };
    };
    expect(await send((made) => ['a', 'b'].forEach((text) => made.append('note', text)))).toMatchObject({
      status: 400,
      error: expect.stringMatching(/^note: is there twice/) as string,
    });
    expect(await send((made) => ['a', 'b'].forEach((text) => made.append('file', new File([text], text))))).toMatchObject({
      status: 400,
      error: expect.stringMatching(/^file: is there twice/) as string,
    });
    expect(await send((made) => Array.from({ length: 70 }, (_, index) => made.set(`f${index}`, 'x')))).toMatchObject({
      status: 400,
      error: expect.stringMatching(/more than 64 fields/) as string,
    });
    expect(await send((made) => Array.from({ length: 20 }, (_, index) => made.set(`f${index}`, 'x'.repeat(4_000_000))))).toMatchObject({
      status: 413,
    });
  }, 30_000);

  it('takes fields of a form that are no text by the schema as JSON', async () => {
    const input_schema = { type: 'object', properties: { list: { type: 'array' }, text: { type: 'string' } } };
    await make('formed', skill({}, { instructions: '{{list.0}} {{text}}', input_schema }));
    const form = new FormData();
    form.set('list', '["one"]');
    form.set('text', '["two"]');
    const headers = { authorization: `Bearer ${await gateway.token('developer')}` };
    const answered = await fetch(`${gateway.url}/v1/skills/formed/runs`, { method: 'POST', body: form, headers });
    expect(answered.status, await answered.clone().text()).toBe(200);
    expect(vendor.requests.at(-1)?.body.messages[0].content).toBe('one ["two"]');
    form.set('list', 'one');
    const wrong = await fetch(`${gateway.url}/v1/skills/formed/runs`, { method: 'POST', body: form, headers });
    expect(((await wrong.json()) as { error: { param: string } }).error.param).toBe('list');
  });

  it('is refused with the path of what is wrong', async () => {
    expect((await run('city', { town: 'x' })).json.error).toMatchObject({ code: 'invalid_request', param: 'input.city' });
    expect((await run('city', undefined)).json.error).toMatchObject({ param: 'input' });
    expect((await run('city', { city: 'x' }, { streamed: true })).status).toBe(400);
  });
});

describe('a run that nobody waits for', () => {
  it('is told of at once, followed, and its answer kept, for its owner alone', async () => {
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    vendor.behave(async (request, response) => {
      await gate;
      answerOk(request, response, 'Gardens and canals.');
    });
    const started = await run('city', { city: 'Suzhou' }, { async: true });
    expect(started.status, started.text).toBe(202);
    const path = started.headers.get('location') ?? '';
    expect((await gateway.as('developer', 'GET', path)).json).toMatchObject({
      status: 'running',
      tree: { calls: [] },
      spent: { input_tokens: 0 },
    });
    expect((await gateway.as('admin', 'GET', path)).status).toBe(404);
    const following = gateway.as('developer', 'GET', `${path}?stream=true`);
    release();
    const names = [...(await following).text.matchAll(/^event: (\w+)/gm)].map(([, name]) => name);
    expect([names[0], names.at(-1)]).toEqual(['started', 'completed']);
    const done = await eventually(
      async () => (await gateway.as('developer', 'GET', path)).json,
      (found) => found.tree.outcome === 'complete',
    );
    expect(done).toMatchObject({
      status: 'completed',
      output: 'Gardens and canals.',
      tree: {
        capability: 'skill/city',
        calls: [{ capability: 'model/scripted', usage: { estimated: false }, attempts: [{ number: 1, detail: null }] }],
      },
      spent: { input_tokens: 5, output_tokens: 3, cost: {}, priced: false },
    });
    expect((await gateway.as('developer', 'GET', `${path}?stream=true`)).text).toMatch(/^event: completed/);
    expect((await gateway.as('admin', 'GET', path)).status).toBe(404);
  });

  it('that is wrong at once is refused at once', async () => {
    expect((await run('city', { town: 'x' }, { async: true })).json.error).toMatchObject({ param: 'input.city' });
  });

  it('is one of twenty at the most, however many begin at once', async () => {
    vendor.behave(() => {});
    const started = await Promise.all(Array.from({ length: 40 }, () => run('city', { city: 'x' }, { async: true })));
    expect(started.filter(({ status }) => status === 202)).toHaveLength(20);
    await Promise.all(
      started.filter(({ status }) => status === 202).map(({ json }) => gateway.as('developer', 'DELETE', `/v1/runs/${json.id}`)),
    );
    await eventually(
      async () => (await run('city', { city: 'x' }, { async: true })).status,
      (status) => status === 202,
    );
  });

  it('is cancelled, down to the vendor', async () => {
    vendor.behave(() => {});
    const aborts = vendor.aborts;
    const started = await gateway
      .as('developer', 'POST', '/v1/skills/city/runs', { input: { city: 'Suzhou' }, async: true })
      .catch(() => null);
    const path = started?.headers.get('location') ?? '';
    expect((await gateway.as('admin', 'DELETE', path)).status).toBe(404);
    expect((await gateway.as('developer', 'DELETE', path)).status).toBe(202);
    const ended = await eventually(
      async () => (await gateway.as('developer', 'GET', path)).json,
      (found) => found.status !== 'running',
    );
    expect(ended).toMatchObject({ status: 'cancelled', error: { message: 'The run was cancelled.' } });
    expect((await gateway.as('developer', 'DELETE', path)).json.error.message).toContain('has ended already');
    await eventually(
      () => Promise.resolve(vendor.aborts),
      (count) => count > aborts,
    );
  });
});

it('a run that somebody waited for is found again, with what it was given and answered only where its row keeps that', async () => {
  const found = async (name: string, role: Role = 'developer') => {
    const { id } = (await run(name, { city: 'Suzhou' })).json;
    return eventually(
      async () => (await gateway.as(role, 'GET', `/v1/runs/${id}`)).json,
      (told) => told.tree?.outcome === 'complete' || role !== 'developer',
    );
  };
  const plain = await found('city');
  expect(plain).toMatchObject({ status: 'completed', skill: 'city', output: null, spent: { input_tokens: 5 } });
  expect(JSON.stringify(plain)).not.toMatch(/Suzhou|Gardens/);
  await make('kept', skill({ keep: { content: 'all', days: 1 } }));
  const kept = await eventually(
    () => found('kept'),
    (told) => told.output !== null,
  );
  expect(kept).toMatchObject({
    output: 'Gardens.',
    tree: { input: { city: 'Suzhou' }, output: 'Gardens.', calls: [{ input: { model: 'scripted' }, output: 'Gardens.' }] },
  });
  await make('kept-outside', skill({ keep: { content: 'skill' } }));
  const outside = await eventually(
    () => found('kept-outside'),
    (told) => told.output !== null,
  );
  expect(outside.tree.calls[0].input).toBeUndefined();
  expect(await found('kept', 'admin')).toMatchObject({ error: { code: 'not_found' } });
  const forAdmin = await gateway.as('admin', 'GET', `/api/runs/${kept.id}`);
  expect(forAdmin.json.content).toMatchObject({ output: 'Gardens.' });
});

it('a run that fails tells what it has spent', async () => {
  await make('typed', skill({}, { output_schema: { type: 'object', required: ['never'] }, repairs: 1 }));
  vendor.behave((request, response) => answerOk(request, response, '{"almost":1}'));
  const streamed = await run('typed', { city: 'x' }, { stream: true });
  expect(streamed.status, streamed.text).toBe(502);
  const started = await run('typed', { city: 'x' }, { async: true });
  const ended = await eventually(
    async () => (await gateway.as('developer', 'GET', started.headers.get('location') ?? '')).json,
    (told) => told.status === 'failed',
  );
  expect(ended).toMatchObject({ usage: { input_tokens: 10 }, error: { code: 'output_invalid', best_attempt: '{"almost":1}' } });
});

it('a text that was cut off is incomplete, and no result of a tool', async () => {
  vendor.behave((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(completion('Gard', {}, 'length'));
  });
  const cut = await run('city', { city: 'Suzhou' });
  expect(cut.json).toMatchObject({ status: 'incomplete', incomplete_details: { reason: 'length' }, output: 'Gard' });
  await using client = await mcp('developer');
  const tool = await client.callTool({ name: 'skill__city', arguments: { city: 'Suzhou' } });
  expect(tool).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('cut off') as string }] });
});

describe('rights', () => {
  it('of a skill are those of its row, whatever its input brings in', async () => {
    const steps = [{ id: 'a', with: { prompt: 'x', tools: '{{input.tools}}' } }];
    const spec = { kind: 'pipeline', description: 'd', model: 'scripted', options: { input_schema: { type: 'object' }, steps } };
    await make('open-handed', spec);
    await make('handed', { ...spec, tools: ['mcp/demo/calculate', 'skill/city'] });
    const [all, one] = [
      { type: 'mcp', server_label: 'demo' },
      { type: 'mcp', server_label: 'demo', allowed_tools: ['calculate'] },
    ];
    const city = { type: 'skill', name: 'city' };
    for (const [name, tools, status] of [
      ['open-handed', [one], 403],
      ['open-handed', [city], 403],
      ['handed', [all], 403],
      ['handed', [one, city], 200],
    ] as const)
      expect((await run(name, { tools })).status, `${name} ${JSON.stringify(tools)}`).toBe(status);
  });

  it('of a key reach back to no run of a skill that it may not use', async () => {
    const key = (await gateway.as('developer', 'POST', '/api/keys', { capabilities: ['skill/city'] })).json.key as string;
    const asKey = (method: string, path: string) => gateway.as(null, method, path, undefined, { authorization: `Bearer ${key}` });
    await make('secret', skill());
    for (const [name, status] of [
      ['city', 200],
      ['secret', 404],
    ] as const) {
      const started = await run(name, { city: 'x' }, { async: true });
      const path = `/v1/runs/${started.json.id}`;
      await eventually(
        async () => (await gateway.as('developer', 'GET', path)).json,
        (told) => told.status === 'completed',
      );
      for (const [method, suffix] of [
        ['GET', ''],
        ['GET', '?stream=true'],
      ] as const)
        expect((await asKey(method, `${path}${suffix}`)).status, `${name} ${method} ${suffix}`).toBe(status);
      expect((await asKey('DELETE', path)).status).toBe(name === 'city' ? 400 : 404);
    }
  });

  it('are the caller’s, loud where something is missing, hidden where it may not be seen', async () => {
    await make('reaching', skill({ tools: ['mcp/nowhere/read'] }));
    expect((await run('reaching', { city: 'x' })).status).toBe(404);
    expect((await run('city', { city: 'x' }, {}, 'viewer')).status).toBe(403);
    const grant = { subject_type: 'role', subject: 'user', capability: 'skill/outer', action: 'use' };
    expect((await gateway.as('admin', 'POST', '/api/grants', { spec: grant })).status).toBe(201);
    const denied = await run('outer', { city: 'x' }, {}, 'user');
    expect(denied.status).toBe(403);
    expect(denied.json.error).toMatchObject({ code: 'permission_denied' });
    await using client = await mcp('user');
    const names = (await client.listTools()).tools.map(({ name }) => name).filter((name) => /^skill__(city|outer|ping)$/.test(name));
    expect(names).toEqual(['skill__outer']);
    await expect(client.callTool({ name: 'skill__city', arguments: { city: 'x' } })).rejects.toThrow();
    const asTool = await chat(
      { model: 'scripted', messages: [{ role: 'user', content: 'go' }], tools: [{ type: 'skill', name: 'city' }] },
      'user',
    );
    expect(asTool.status).toBe(403);
  });
});

it('a tool that needs a person’s yes is refused within a skill, where nobody can be asked', async () => {
  await make('paying', skill({ tools: ['mcp/demo/calculate'] }));
  const row = (await gateway.as('admin', 'GET', '/api/mcp-servers/demo')).json;
  await gateway.as('admin', 'PUT', '/api/mcp-servers/demo', { spec: { ...row.spec, approval: 'always' } });
  vendor.behave(calling('demo__calculate', { expression: '1+1' }));
  expect((await run('paying', { city: 'x' })).json.output).toContain('needs a person');
  await gateway.as('admin', 'PUT', '/api/mcp-servers/demo', { spec: row.spec });
});

describe('bounds', () => {
  it('stop skills that call each other', async () => {
    await make('ping', skill({ tools: ['skill/pong'] }));
    await make('pong', skill({ tools: ['skill/ping'] }));
    vendor.behave((request, response) => {
      const [tool] = (request.body.tools ?? []) as { function: { name: string } }[];
      return calling(tool?.function.name ?? '', { city: 'x' })(request, response);
    });
    const answer = await run('ping', { city: 'x' });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.json.output).toContain('would call itself');
  });

  it('count levels of skills, for each skill around', async () => {
    const chain = (next: string | null, depth = 4) => skill({ tools: next === null ? [] : [`skill/${next}`], limits: { depth } });
    for (const [name, next] of Object.entries({ five: null, four: 'five', three: 'four', two: 'three', one: 'two' }))
      await make(name, chain(next));
    const outermost: Record<string, string> = {};
    vendor.behave((request, response) => {
      const [tool] = (request.body.tools ?? []) as { function: { name: string } }[];
      outermost[tool?.function.name ?? 'none'] = 'asked';
      return tool === undefined ? answerOk(request, response, 'deepest') : calling(tool.function.name, { city: 'x' })(request, response);
    });
    expect((await run('two', { city: 'x' })).json.output).toBe('It says: It says: It says: deepest');
    expect((await run('one', { city: 'x' })).json.output).toContain('too deep: within "one" skills may call skills down to 4 levels');
    await make('shallow', chain('five', 1));
    expect((await run('shallow', { city: 'x' })).json.output).toContain('within "shallow"');
    await make('leaf', chain(null, 1));
    vendor.behave(calling('skill__leaf', { city: 'x' }));
    const asTool = await chat({ model: 'scripted', messages: [{ role: 'user', content: 'go' }], tools: [{ type: 'skill', name: 'leaf' }] });
    expect(asTool.json.choices[0].message.content).toBe('It says: Gardens.');
  });

  it('hold for a tool that never returns, and for what goes on beside a step that failed', async () => {
    await make('slow', skill({ limits: { total_ms: 400 } }));
    vendor.behave(() => {});
    const slow = await run('slow', { city: 'x' });
    expect(slow.json.error).toMatchObject({ code: 'upstream_timeout', message: 'The skill "slow" took longer than its 400 ms.' });
    const steps = [{ id: 'a', each: '{{input.list}}', at_once: 2, with: { prompt: '{{item}}' }, retry: { times: 5, delay_ms: 100 } }];
    await make('beside', { kind: 'pipeline', description: 'd', model: 'scripted', options: { input_schema: { type: 'object' }, steps } });
    let asked = 0;
    vendor.behave((request, response) => {
      asked++;
      const isBad = JSON.stringify(request.body.messages).includes('bad');
      response.writeHead(isBad ? 400 : 500, { 'content-type': 'application/json' }).end('{"error":{"message":"no"}}');
    });
    expect((await run('beside', { list: ['bad', 'slow'] })).status).toBe(400);
    const soon = asked;
    await new Promise((resolve) => setTimeout(resolve, 700));
    // What was on its way may have arrived; nothing began anew.
    expect(asked - soon).toBeLessThan(2);
  });

  it('end a model that calls tools for ever, and a skill that has spent its tokens', async () => {
    await make('endless', skill({ tools: ['skill/city'], limits: { steps: 2 } }));
    let asked = 0;
    vendor.behave((request, response) => {
      if (request.body.tools === undefined) return answerOk(request, response, 'Gardens.');
      asked++;
      const call = { id: `c${asked}`, type: 'function', function: { name: 'skill__city', arguments: '{"city":"x"}' } };
      response.writeHead(200, { 'content-type': 'application/json' }).end(completion(null, { tool_calls: [call] }, 'tool_calls'));
    });
    expect((await run('endless', { city: 'x' })).status).toBe(200);
    expect(asked).toBe(3);
    await make('thirsty', skill({ tools: ['skill/city'], limits: { steps: 8, tokens: 1 } }));
    asked = 0;
    expect((await run('thirsty', { city: 'x' })).json.error).toMatchObject({ code: 'step_limit_reached' });
    expect(asked).toBe(1);
    await make('poor', skill({ limits: { tokens: 7 } }, { output_schema: { type: 'object', required: ['never'] } }));
    vendor.behave((request, response) => answerOk(request, response, 'no JSON'));
    const poor = await run('poor', { city: 'x' });
    expect(poor.json.error).toMatchObject({ code: 'step_limit_reached', message: 'The skill "poor" has spent its 7 tokens.' });
  });
});
