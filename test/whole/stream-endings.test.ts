/** The end of an answer for clients of every format: text after a finish reason, vendors without finish reason, and silent vendors. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { part, say, type Script, type ScriptedVendor, startScripted, stream, think, usagePart } from '../dispatch/scene.ts';
import { type FormatClient, formatClients, formatNames } from './format-clients.ts';
import { startGateway, type TestGateway } from './gateway.ts';

let gateway: TestGateway;
let clients: readonly FormatClient[];
const vendors: ScriptedVendor[] = [];
let made = 0;

beforeAll(async () => {
  gateway = await startGateway();
  clients = formatClients(gateway.url, await gateway.token('developer'));
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await Promise.all(vendors.map((vendor) => vendor.close()));
});

async function modelFor(script: Script, options: object = {}, deployment: object = {}): Promise<string> {
  const name = `ending-${++made}`;
  const vendor = await startScripted(script);
  vendors.push(vendor);
  const provider = { kind: 'openai-compatible', options: { base_url: vendor.url, ...options } };
  expect((await gateway.as('admin', 'POST', '/api/providers', { name, spec: provider })).status).toBe(201);
  const spec = { deployments: [{ provider: name, model: 'up', ...deployment }], limits: { idle_ms: 8_000 }, retry: { same: 0 } };
  const answer = await gateway.as('admin', 'POST', '/api/models', { name, spec });
  expect(answer.status, answer.text).toBe(201);
  return name;
}

const done = 'data: [DONE]\n\n';
const nine = Array.from({ length: 9 }, (_, at) => say(`w${at} `));
const more = Array.from({ length: 21 }, (_, at) => say(`x${at} `));
const early = [...nine, part({}, 'stop'), ...more, part({}, 'stop'), usagePart(5, 30), done];
const thirty = [...nine, ...more].map((_, at) => (at < 9 ? `w${at} ` : `x${at - 9} `)).join('');
const reply =
  (choice: object, usage: object | null = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 }): Script =>
  ({ wire }) =>
    wire.whole(200, JSON.stringify({ id: 'v', object: 'chat.completion', created: 1, model: 'v', choices: [choice], usage }));
const chat = (model: string, streamed: boolean) =>
  gateway.as('developer', 'POST', '/v1/chat/completions', { model, stream: streamed, messages: [{ role: 'user', content: 'Hi' }] });

// The tests run concurrently: each has its own vendor and model, and mostly waits.
describe.concurrent.each(formatNames)('%s', (name) => {
  const ask: FormatClient['ask'] = (model, asked) => clients[formatNames.indexOf(name)]!.ask(model, asked);

  describe.each([true, false])('streamed: %s', (streamed) => {
    const whole = streamed ? {} : { always_stream: true };

    it('text after a finish reason is part of the answer', async () => {
      const model = await modelFor(stream(early, 'end', 1), {}, whole);
      expect(await ask(model, { stream: streamed })).toMatchObject({
        said: thirty,
        complete: true,
        error: null,
        usage: { input: 5, output: 30 },
      });
    });

    it('the finish reason of the last chunk counts when every chunk has one', async () => {
      const parts = ['A', 'B', 'C'].map((content) => part({ content }, 'stop'));
      const model = await modelFor(stream([...parts, done], 'end', 1), {}, whole);
      expect(await ask(model, { stream: streamed })).toMatchObject({ said: 'ABC', complete: true, error: null });
    });

    it('a tool call after a finish reason counts', async () => {
      const call = part({
        tool_calls: [{ index: 0, id: 'c1', type: 'function', function: { name: 'weather', arguments: '{"city":"X"}' } }],
      });
      const model = await modelFor(stream([say('Look.'), part({}, 'stop'), call, part({}, 'tool_calls'), done], 'end', 1), {}, whole);
      expect(await ask(model, { stream: streamed, tools: true })).toMatchObject({ said: 'Look.', error: null });
      const answer = await chat(model, false);
      expect(answer.json.choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { tool_calls: [{ id: 'c1' }] } });
    });

    it.each([
      ['a finish reason', [say('Hi'), part({}, 'stop')]],
      ['a finish reason and its counts', [say('Hi'), part({}, 'stop'), usagePart(5, 1)]],
      ['early finish reasons', [part({ content: 'H' }, 'stop'), part({ content: 'i' }, 'stop')]],
    ])('a vendor that is silent after %s has ended', async (_what, parts) => {
      const model = await modelFor(stream(parts, 'stall', 1), {}, whole);
      expect(await ask(model, { stream: streamed })).toMatchObject({ said: 'Hi', complete: true, error: null });
    });

    it.each([
      ['[DONE]', [say('Hi'), done]],
      ['[DONE] and an empty finish reason', [say('Hi'), part({}, ''), done]],
      ['its final counts', [say('Hi'), usagePart(5, 1)]],
    ])('a vendor that names no finish reason has ended with %s', async (_what, parts) => {
      const model = await modelFor(stream(parts, 'end', 1), {}, whole);
      expect(await ask(model, { stream: streamed })).toMatchObject({ said: 'Hi', complete: true, error: null });
    });

    it.each([
      ['ends', 'end', [say('Hi')]],
      ['closes', 'close', [say('Hi')]],
      ['ends behind counts that came with the words', 'end', [usagePart(5, 1), say('Hi')]],
      ['closes behind early finish reasons', 'close', [part({ content: 'H' }, 'stop'), part({ content: 'i' }, 'stop')]],
    ] as const)('a stream without a finish reason that just %s is an error', async (_what, then, parts) => {
      const model = await modelFor(stream(parts, then, 1), {}, whole);
      expect(await ask(model, { stream: streamed })).toMatchObject({ complete: false, error: expect.stringMatching(/./) });
    });
  });

  it.each([[{}], [{ finish_reason: null }], [{ finish_reason: '' }], [{ finish_reason: 'eos_token' }], [{ finish_reason: 'Stop' }]])(
    'a whole answer with %j and its counts is complete',
    async (reason) => {
      const model = await modelFor(reply({ index: 0, message: { role: 'assistant', content: 'Hi' }, ...reason }));
      expect(await ask(model, { stream: false })).toMatchObject({ said: 'Hi', complete: true, error: null, status: 200 });
    },
  );
});

it('an assumed finish reason is reported: in a header of a whole answer, in the last event of a stream', async () => {
  const whole = await chat(await modelFor(reply({ message: { role: 'assistant', content: 'Hi' } })), false);
  expect(whole.headers.get('x-pailou-warnings')).toContain('finish reason missing');
  const model = await modelFor(stream([say('Hi'), done]));
  expect((await chat(model, true)).text).toContain('"pailou":{"warnings":["finish reason missing: taken as stop"]}');
  expect((await chat(model, true)).text).toContain('"finish_reason":"stop"');
  for (const [path, body] of [
    ['/v1/messages', { max_tokens: 10, messages: [{ role: 'user', content: 'Hi' }] }],
    ['/v1/responses', { input: 'Hi' }],
  ] as const)
    expect((await gateway.as('developer', 'POST', path, { model, stream: true, ...body })).text).toContain('finish reason missing');
});

it('a whole answer without a finish reason and without counts stays an error', async () => {
  const answer = await chat(await modelFor(reply({ message: { role: 'assistant', content: 'Hi' } }, null)), false);
  expect(answer).toMatchObject({ status: 502, json: { error: { code: 'upstream_interrupted' } } });
});

it('several choices each keep what follows their finish reasons', async () => {
  const parts = [say('a'), part({}, 'stop'), say('b', 1), say('c'), part({}, 'stop', 1), part({}, 'length'), usagePart(3, 3), done];
  const model = await modelFor(stream(parts, 'end', 1), {}, { always_stream: true });
  const body = { model, n: 2, messages: [{ role: 'user', content: 'Hi' }] };
  const answer = await gateway.as('developer', 'POST', '/v1/chat/completions', body);
  expect(answer.json.choices).toMatchObject([
    { message: { content: 'ac' }, finish_reason: 'length' },
    { message: { content: 'b' }, finish_reason: 'stop' },
  ]);
});

describe('the options of a row', () => {
  it('map the vendor’s finish reasons', async () => {
    const tired = reply({ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'tired' });
    const refused = await chat(await modelFor(tired), false);
    expect(refused).toMatchObject({ status: 502, json: { error: { code: 'upstream_interrupted' } } });
    for (const finish_reasons of [{ tired: 'length' }, { '*': 'length' }])
      expect((await chat(await modelFor(tired, { finish_reasons }), false)).json.choices[0].finish_reason).toBe('length');
    expect((await chat(await modelFor(tired, { finish_reasons: { tired: 'failure' } }), false)).json.error.code).toBe('upstream_error');
  });

  it('refuse an unknown finish reason as target', async () => {
    const spec = { kind: 'openai-compatible', options: { base_url: 'http://127.0.0.1:9/v1', finish_reasons: { tired: 'asleep' } } };
    const answer = await gateway.as('admin', 'POST', '/api/providers', { name: 'asleep', spec });
    expect(answer.status).toBe(400);
    expect(answer.text).toContain('finish_reasons');
  });

  it.each([
    ['the provider', { think_tags: true }, {}, 'Hm.', 'Hi'],
    ['the deployment', {}, { think_tags: true }, 'Hm.', 'Hi'],
    ['the deployment against the provider', { think_tags: true }, { think_tags: false }, undefined, '<think>Hm.</think>\n\nHi'],
    ['nobody', {}, {}, undefined, '<think>Hm.</think>\n\nHi'],
  ])('separate reasoning in the text as %s configures', async (_who, options, deployment, thought, text) => {
    const message = { role: 'assistant', content: '<think>Hm.</think>\n\nHi' };
    const answer = await chat(await modelFor(reply({ index: 0, message, finish_reason: 'stop' }), options, deployment), false);
    expect(answer.json.choices[0].message.reasoning_content).toBe(thought);
    expect(answer.json.choices[0].message.content).toBe(text);
  });

  it('refuse think_tags for a deployment whose format separates reasoning', async () => {
    const provider = { kind: 'anthropic', options: { api_key: 'sk', base_url: 'http://127.0.0.1:9' } };
    await gateway.as('admin', 'POST', '/api/providers', { name: 'native', spec: provider });
    const spec = { deployments: [{ provider: 'native', model: 'claude', think_tags: true }] };
    const answer = await gateway.as('admin', 'POST', '/api/models', { name: 'native-thinks', spec });
    expect(answer).toMatchObject({ status: 400, json: { error: { param: 'spec.deployments[0].think_tags' } } });
  });
});

it('reasoning after a finish reason is part of the answer', async () => {
  const model = await modelFor(stream([think('a'), part({}, 'stop'), think('b'), say('c'), part({}, 'stop'), done], 'end', 1));
  const heard = await clients[0]!.ask(model, { stream: true });
  expect(heard).toMatchObject({ thought: 'ab', said: 'c', complete: true });
});

it('a tool that the vendor ran itself is not a call of the caller', async () => {
  const hosted = { id: 'h1', type: 'web_search', function: { name: 'web_search', arguments: '{}' } };
  const message = { role: 'assistant', content: 'Found.', tool_calls: [hosted] };
  const answer = await chat(await modelFor(reply({ index: 0, message, finish_reason: 'tool_calls' })), false);
  expect(answer.json.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: 'Found.' } });
  expect(answer.json.choices[0].message.tool_calls).toBeUndefined();
  const parts = [part({ tool_calls: [{ index: 0, ...hosted }] }), part({ tool_calls: [{ index: 0, function: { arguments: 'x' } }] })];
  const streamed = await chat(await modelFor(stream([...parts, say('Found.'), part({}, 'tool_calls'), done], 'end', 1)), true);
  expect(streamed.text).toContain('"finish_reason":"stop"');
  expect(streamed.text).not.toContain('tool_calls');
});
