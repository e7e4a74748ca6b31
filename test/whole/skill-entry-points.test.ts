/** Every entry point of a skill gives the same result and records a run. */
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Role } from '../../src/types/access.ts';
import { eventually, type TestGateway } from './gateway.ts';
import { calling, citySchema, type SkillScene, skill, startSkillScene } from './skill-scene.ts';
import { answerOk, completion, type Vendor } from './vendor.ts';

let scene: SkillScene;
let gateway: TestGateway;
let vendor: Vendor;
let make: SkillScene['make'];
let run: SkillScene['run'];
let chat: SkillScene['chat'];
let mcp: SkillScene['mcp'];

beforeAll(async () => {
  scene = await startSkillScene();
  ({ gateway, vendor, make, run, chat, mcp } = scene);
});
afterAll(() => scene[Symbol.asyncDispose]());
beforeEach(() => vendor.behave((request, response) => answerOk(request, response, 'Gardens.')));

describe('one skill', () => {
  it('gives the same result at all five entry points', async () => {
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
    // Two rounds of the model with the skill between them, 7 tokens each.
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

  it('streams its steps and text, to the official client too', async () => {
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

  it('accepts files in a form', async () => {
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
      error: expect.stringMatching(/^note: occurs twice/) as string,
    });
    expect(await send((made) => ['a', 'b'].forEach((text) => made.append('file', new File([text], text))))).toMatchObject({
      status: 400,
      error: expect.stringMatching(/^file: occurs twice/) as string,
    });
    const inBoth = await send((made) => ['input', 'note'].forEach((field) => made.set(field, field === 'note' ? 'a' : '{"note":"b"}')));
    expect(inBoth).toMatchObject({ status: 400, error: expect.stringMatching(/^note: is also in the field input/) as string });
    expect(await send((made) => made.set('stream', 'yes'))).toMatchObject({ status: 400, error: 'stream: must be true or false.' });
    const size = 64 * 1024 * 1024 + 1;
    expect(await send((made) => made.append('file', new File([new Uint8Array(size)], 'large')))).toMatchObject({ status: 413 });
    expect(await send((made) => Array.from({ length: 70 }, (_, index) => made.set(`f${index}`, 'x')))).toMatchObject({
      status: 400,
      error: expect.stringMatching(/more than 64 fields/) as string,
    });
    expect(await send((made) => Array.from({ length: 20 }, (_, index) => made.set(`f${index}`, 'x'.repeat(4_000_000))))).toMatchObject({
      status: 413,
    });
  });

  it('parses form fields as JSON when the schema has another type than text', async () => {
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

  it('is refused with the path of the fault', async () => {
    expect((await run('city', { town: 'x' })).json.error).toMatchObject({ code: 'invalid_request', param: 'input.city' });
    expect((await run('city', undefined)).json.error).toMatchObject({ param: 'input' });
    const post = (body: unknown, query = '') => gateway.as('developer', 'POST', `/v1/skills/city/runs${query}`, body);
    const refusals = [await post({ inputs: {} }), await post({ city: 'x' }), await post({ input: {} }, '?stream=yes')];
    refusals.push(await post({ input: { city: 'x' }, stream: true, async: true }), await post({ input: { town: 'x' } }));
    expect(refusals.map(({ status, json }) => [status, json.error.param, json.error.message])).toEqual([
      [400, 'input', expect.stringContaining('"inputs" is not a field here')],
      [400, 'input', expect.stringContaining('with the fields of the skill in it')],
      [400, 'stream', expect.stringContaining('put it into the body')],
      [400, 'stream', expect.stringContaining('one of the two')],
      [400, 'input.city', 'input.city is missing ("town" is not a field here).'],
    ]);
    expect((await run('city', { city: 'x' }, { streamed: true })).status).toBe(400);
  });
});

describe('a background run', () => {
  it('is accepted immediately, can be followed, and keeps its answer, only for its owner', async () => {
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

  it('with invalid input is refused immediately', async () => {
    expect((await run('city', { town: 'x' }, { async: true })).json.error).toMatchObject({ param: 'input.city' });
  });

  it('is one of at most twenty, however many begin concurrently', async () => {
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

  it('is cancelled up to the vendor', async () => {
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

it('a foreground run can be read, with input and output only where its row retains them', async () => {
  const found = async (name: string, role: Role = 'developer') => {
    const { id } = (await run(name, { city: 'Suzhou' })).json;
    return eventually(
      async () => (await gateway.as(role, 'GET', `/v1/runs/${id}`)).json,
      (runView) => runView.tree?.outcome === 'complete' || role !== 'developer',
    );
  };
  const plain = await found('city');
  expect(plain).toMatchObject({ status: 'completed', skill: 'city', output: null, spent: { input_tokens: 5 } });
  expect(JSON.stringify(plain)).not.toMatch(/Suzhou|Gardens/);
  await make('kept', skill({ keep: { content: 'all', days: 1 } }));
  const kept = await eventually(
    () => found('kept'),
    (runView) => runView.output !== null,
  );
  expect(kept).toMatchObject({
    output: 'Gardens.',
    tree: { input: { city: 'Suzhou' }, output: 'Gardens.', calls: [{ input: { model: 'scripted' }, output: 'Gardens.' }] },
  });
  await make('kept-outside', skill({ keep: { content: 'skill' } }));
  const outside = await eventually(
    () => found('kept-outside'),
    (runView) => runView.output !== null,
  );
  expect(outside.tree.calls[0].input).toBeUndefined();
  expect(await found('kept', 'admin')).toMatchObject({ error: { code: 'not_found' } });
  const forAdmin = await gateway.as('admin', 'GET', `/api/runs/${kept.id}`);
  expect(forAdmin.json.content).toMatchObject({ output: 'Gardens.' });
});

it('a failed run reports its usage', async () => {
  await make('typed', skill({}, { output_schema: { type: 'object', required: ['never'] }, repairs: 1 }));
  vendor.behave((request, response) => answerOk(request, response, '{"almost":1}'));
  const streamed = await run('typed', { city: 'x' }, { stream: true });
  expect(streamed.status, streamed.text).toBe(502);
  const started = await run('typed', { city: 'x' }, { async: true });
  const ended = await eventually(
    async () => (await gateway.as('developer', 'GET', started.headers.get('location') ?? '')).json,
    (runView) => runView.status === 'failed',
  );
  expect(ended).toMatchObject({ usage: { input_tokens: 10 }, error: { code: 'output_invalid', best_attempt: '{"almost":1}' } });
});

it('a text that was cut off is incomplete, and is not a tool result', async () => {
  vendor.behave((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(completion('Gard', {}, 'length'));
  });
  const cut = await run('city', { city: 'Suzhou' });
  expect(cut.json).toMatchObject({ status: 'incomplete', incomplete_details: { reason: 'length' }, output: 'Gard' });
  await using client = await mcp('developer');
  const tool = await client.callTool({ name: 'skill__city', arguments: { city: 'Suzhou' } });
  expect(tool).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('cut off') as string }] });
});
