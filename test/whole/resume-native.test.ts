/** Cut answers in Anthropic's format, for clients of every format: resumed by a vendor of the same or another format. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkStream } from '../contract/strict-chat.ts';
import { checkMessageStream } from '../contract/strict-messages.ts';
import { checkResponseStream } from '../contract/strict-responses.ts';
import { end, say, type Script, type ScriptedVendor, startScripted, stream, think } from '../dispatch/scene.ts';
import { type FormatClient, formatClients, formatNames } from './format-clients.ts';
import { eventually, startGateway, type TestGateway } from './gateway.ts';

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

const event = (type: string, more: object = {}): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
const usage = { input_tokens: 11, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 1 };
const started = event('message_start', {
  message: { id: 'msg_v', type: 'message', role: 'assistant', model: 'claude', content: [], stop_reason: null, stop_sequence: null, usage },
});
const block = (index: number, content: object): string => event('content_block_start', { index, content_block: content });
const delta = (index: number, more: object): string => event('content_block_delta', { index, delta: more });
const words = (index: number, texts: readonly string[]): string[] => [
  block(index, { type: 'text', text: '' }),
  ...texts.map((text) => delta(index, { type: 'text_delta', text })),
];
const ended = (index: number): string[] => [
  event('content_block_stop', { index }),
  event('message_delta', { delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 9 } }),
  event('message_stop'),
];
const thought = (text: string, signature: string): string[] => [
  block(0, { type: 'thinking', thinking: '', signature: '' }),
  delta(0, { type: 'thinking_delta', thinking: text }),
  delta(0, { type: 'signature_delta', signature }),
  event('content_block_stop', { index: 0 }),
];

type Format = 'anthropic' | 'openai-compatible';

/** A model that resumes: one deployment for each script, at a vendor of the named format. */
async function makeModel(deployments: readonly (readonly [format: Format, script: Script, more?: object])[]) {
  const model = `native-${++made}`;
  const own: ScriptedVendor[] = [];
  const specs: object[] = [];
  for (const [tier, [kind, script, more]] of deployments.entries()) {
    const vendor = await startScripted(script);
    own.push(vendor);
    vendors.push(vendor);
    const options = kind === 'anthropic' ? { base_url: vendor.url.replace(/\/v1$/, ''), api_key: 'k' } : { base_url: vendor.url };
    const name = `${model}-${tier}`;
    expect((await gateway.as('admin', 'POST', '/api/providers', { name, spec: { kind, options } })).status).toBe(201);
    specs.push({ provider: name, model: kind === 'anthropic' ? 'claude-opus-4-5' : 'up', tier, ...more });
  }
  const spec = { deployments: specs, interrupted: 'resume', retry: { same: 0 }, circuit: { failures: 1_000 } };
  const answer = await gateway.as('admin', 'POST', '/api/models', { name: model, spec });
  expect(answer.status, answer.text).toBe(201);
  return { model, vendors: own };
}

async function attemptsOf(model: string): Promise<string[]> {
  const [row] = await eventually(
    async () => (await gateway.as('admin', 'GET', `/api/runs?capability=model/${model}`)).json.data as { id: string }[],
    (data) => data.length > 0,
  );
  const { attempts } = (await gateway.as('admin', 'GET', `/api/runs/${row?.id}`)).json as { attempts: { outcome: string }[] };
  return attempts.map(({ outcome }) => outcome);
}

const cut = stream([started, ...words(0, ['Many ', 'roa'])], 'close');
const full = 'Many roads lead to 牌楼.';

describe.each(formatNames)('%s', (name) => {
  const ask: FormatClient['ask'] = (model, asked) => clients[formatNames.indexOf(name)]!.ask(model, asked);

  it.each([
    ['from the beginning', { prefill: true }, ['ds lead', ' to 牌楼.']],
    ['from the start', {}, ['Ma', 'ny roads', ' lead to 牌楼.']],
  ])('a vendor of the same format continues %s', async (_where, more, texts) => {
    const second = stream([started, ...words(0, texts), ...ended(0)]);
    const { model, vendors: own } = await makeModel([
      ['anthropic', cut],
      ['anthropic', second, more],
    ]);
    expect(await ask(model, { stream: true })).toMatchObject({ said: full, complete: true, error: null });
    const roles = own[1]?.calls[0]?.body.messages.map((message: { role: string }) => message.role);
    expect(roles).toEqual('prefill' in more ? ['user', 'assistant'] : ['user']);
    expect(await attemptsOf(model)).toEqual(['error', 'complete']);
  });

  it.each([
    ['from the beginning', { prefill: true }, ['ds lead', ' to 牌楼.']],
    ['from the start', {}, ['Many roads', ' lead to 牌楼.']],
  ])('a vendor of another format continues %s, and the reverse', async (_where, more, texts) => {
    const there = await makeModel([
      ['anthropic', cut],
      ['openai-compatible', stream([...texts.map((text) => say(text)), ...end()]), more],
    ]);
    expect(await ask(there.model, { stream: true })).toMatchObject({ said: full, complete: true, error: null });
    const back = await makeModel([
      ['openai-compatible', stream([say('Many roa')], 'reset')],
      ['anthropic', stream([started, ...words(0, texts), ...ended(0)]), more],
    ]);
    expect(await ask(back.model, { stream: true })).toMatchObject({ said: full, complete: true, error: null });
    expect(await attemptsOf(back.model)).toEqual(['error', 'complete']);
  });

  it('signed reasoning is sent once, and the text after it continues', async () => {
    const second = stream([started, ...thought('Let me see.', 'seal-2'), ...words(1, ['Many roads', ' lead to 牌楼.']), ...ended(1)]);
    const { model } = await makeModel([
      ['anthropic', stream([started, ...thought('Let me see.', 'seal-1'), ...words(1, ['Many roa'])], 'close')],
      ['anthropic', second, { prefill: true }],
    ]);
    expect(await ask(model, { stream: true })).toMatchObject({ said: full, thought: 'Let me see.', complete: true, error: null });
  });

  it('a tool call that was cut is never resumed', async () => {
    const tool = [
      block(0, { type: 'tool_use', id: 'toolu_1', name: 'weather', input: {} }),
      delta(0, { type: 'input_json_delta', partial_json: '{"city":"Su' }),
    ];
    const { model, vendors: own } = await makeModel([
      ['anthropic', stream([started, ...tool], 'close')],
      ['anthropic', stream([started, ...words(0, ['It rains.']), ...ended(0)])],
    ]);
    const heard = await ask(model, { stream: true, tools: true });
    expect(heard).toMatchObject({ said: '', tools: '{"city":"Su', complete: false, error: expect.stringMatching(/./) });
    expect(own[1]?.calls).toHaveLength(0);
  });

  it('an overloaded vendor’s error in the middle of a stream is a cut like any other', async () => {
    const overloaded = event('error', { error: { type: 'overloaded_error', message: 'Overloaded' } });
    const { model } = await makeModel([
      ['anthropic', stream([started, ...words(0, ['Many ']), overloaded])],
      ['anthropic', stream([started, ...words(0, [full]), ...ended(0)])],
    ]);
    expect(await ask(model, { stream: true })).toMatchObject({ said: full, complete: true, error: null });
  });
});

it.each([
  ['/v1/chat/completions', { messages: [{ role: 'user', content: 'Hello' }] }, checkStream],
  ['/v1/responses', { input: 'Hello' }, checkResponseStream],
  ['/v1/messages', { messages: [{ role: 'user', content: 'Hello' }], max_tokens: 100 }, checkMessageStream],
] as const)('%s: the bytes of an answer by three vendors keep the contract like those of one', async (path, body, check) => {
  const tool = [
    event('content_block_stop', { index: 1 }),
    block(2, { type: 'tool_use', id: 'toolu_1', name: 'weather', input: {} }),
    delta(2, { type: 'input_json_delta', partial_json: '{"city":"Suzhou"}' }),
  ];
  const { model } = await makeModel([
    ['anthropic', stream([started, ...thought('Let me see.', 'seal-1').slice(0, 2)], 'close')],
    ['openai-compatible', stream([think('Let me see.'), say('I lo')], 'reset')],
    ['anthropic', stream([started, ...thought('Let me see.', 'seal-2'), ...words(1, ['I look.']), ...tool, ...ended(2)])],
  ]);
  const answer = await gateway.as('developer', 'POST', path, { model, stream: true, ...body });
  expect(check(answer.text)).toEqual([]);
  for (const once of ['toolu_1', 'Suzhou']) expect(answer.text).toContain(once);
  expect(await attemptsOf(model)).toEqual(['error', 'error', 'complete']);
});

it('signed reasoning is not signed again by the vendor that continues', async () => {
  const { model } = await makeModel([
    ['anthropic', stream([started, ...thought('Let me see.', 'seal-1')], 'close')],
    ['anthropic', stream([started, ...thought('Let me see.', 'seal-2'), ...words(1, [full]), ...ended(1)])],
  ]);
  const body = { model, stream: true, max_tokens: 100, messages: [{ role: 'user', content: 'Hello' }] };
  const { text } = await gateway.as('developer', 'POST', '/v1/messages', body);
  expect(checkMessageStream(text)).toEqual([]);
  expect(text.match(/seal-\d/g)).toEqual(['seal-1']);
});
