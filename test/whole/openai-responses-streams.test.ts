/** Streams in the Responses format that differ from OpenAI's: nothing of the answer is lost, and nothing comes twice. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from './gateway.ts';
import { startVendor, type Vendor } from './vendor.ts';

let gateway: TestGateway;
let vendor: Vendor;

beforeAll(async () => {
  gateway = await startGateway();
  vendor = await startVendor();
  const options = { base_url: vendor.url, api_key: 'k' };
  await gateway.as('admin', 'POST', '/api/providers', { name: 'p', spec: { kind: 'openai-compatible', options } });
  await gateway.as('admin', 'POST', '/api/models', { name: 'm', spec: { deployments: [{ provider: 'p', model: 'm', api: 'responses' }] } });
});

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});

const response = { id: 'resp_1', object: 'response', model: 'm', usage: { input_tokens: 9, output_tokens: 4, total_tokens: 13 } };
const message = (text: string, id = 'msg_1', annotations: object[] = []) => ({
  type: 'message',
  id,
  role: 'assistant',
  content: [{ type: 'output_text', text, annotations }],
});
const call = (args: string, id = 'fc_1', name = 'f') => ({ type: 'function_call', id, call_id: `call_${id}`, name, arguments: args });
const created = { type: 'response.created', response: { ...response, status: 'in_progress', output: [] } };
const completed = (...output: object[]) => ({ type: 'response.completed', response: { ...response, status: 'completed', output } });
const added = (item: object, more: object = { output_index: 0 }) => ({ type: 'response.output_item.added', item, ...more });
const done = (item: object, more: object = { output_index: 0 }) => ({ type: 'response.output_item.done', item, ...more });
const text = (delta: string, more: object = { output_index: 0, item_id: 'msg_1', content_index: 0 }) => ({
  type: 'response.output_text.delta',
  delta,
  ...more,
});
const args = (delta: string, more: object = { output_index: 0, item_id: 'fc_1' }) => ({
  type: 'response.function_call_arguments.delta',
  delta,
  ...more,
});

/** The texts and calls that a client of chat completions reads. */
async function read(events: readonly object[]): Promise<{ text: string; calls: string[]; reason: string; links: number }> {
  vendor.behave((_, reply) => {
    reply.writeHead(200, { 'content-type': 'text/event-stream' }).end(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''));
  });
  const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }];
  const answer = await gateway.as('developer', 'POST', '/v1/chat/completions', {
    model: 'm',
    stream: true,
    messages: [{ role: 'user', content: 'x' }],
    tools,
  });
  const calls: string[] = [];
  const all = { text: '', reason: '', links: 0 };
  for (const [, data] of answer.text.matchAll(/^data: (\{.*)$/gm)) {
    const choice = JSON.parse(data as string).choices?.[0];
    all.text += choice?.delta.content ?? '';
    all.reason = choice?.finish_reason ?? all.reason;
    all.links += choice?.delta.annotations?.length ?? 0;
    for (const { index, function: called } of choice?.delta.tool_calls ?? [])
      calls[index] = `${calls[index] ?? ''}${called.name === undefined ? '' : `${called.name} `}${called.arguments ?? ''}`;
  }
  return { ...all, calls };
}

describe('a text is whole', () => {
  it.each([
    ['in the last event alone', [created, completed(message('hello'))]],
    ['in the last event without any other', [completed(message('hello'))]],
    [
      'in the end of its text',
      [created, { type: 'response.output_text.done', output_index: 0, content_index: 0, text: 'hello' }, completed()],
    ],
    ['where deltas lack the end', [created, added(message('')), text('hel'), done(message('hello')), completed(message('hello'))]],
    ['where every event repeats it', [created, added(message('')), text('hello'), done(message('hello')), completed(message('hello'))]],
    [
      'where each event has another id',
      [created, added(message('', 'a')), text('hello'), done(message('hello', 'b')), completed(message('hello', 'c'))],
    ],
    [
      'without an index',
      [created, added(message(''), {}), text('hel', {}), text('lo', {}), done(message('hello'), {}), completed(message('hello'))],
    ],
    ['where the last event is called done', [created, text('hello'), { ...completed(message('hello')), type: 'response.done' }]],
    [
      'in two parts whose deltas have no number',
      [
        created,
        text('hel', { output_index: 0 }),
        text('lo', { output_index: 0 }),
        completed({ ...message(''), content: ['hel', 'lo'].map((part) => ({ type: 'output_text', text: part })) }),
      ],
    ],
  ])('%s', async (_name, events) => {
    expect(await read(events)).toMatchObject({ text: 'hello', calls: [], reason: 'stop' });
  });

  it('and its citations, which only the complete item has', async () => {
    const cited = message('hello', 'msg_1', [{ type: 'url_citation', url: 'https://a.example', title: 'A', start_index: 0, end_index: 5 }]);
    expect(await read([created, added(message('')), text('hello'), done(cited), completed(cited)])).toMatchObject({
      text: 'hello',
      links: 1,
    });
  });
});

describe('a call is whole', () => {
  const a = '{"a":1}';
  it.each([
    ['in the last event alone', [created, completed(message('hi'), call(a))]],
    [
      'in the end of its arguments',
      [
        created,
        added(call('')),
        { type: 'response.function_call_arguments.done', output_index: 0, item_id: 'fc_1', arguments: a },
        completed(call(a)),
      ],
    ],
    [
      'where its name comes at the end',
      [created, added(call('', 'fc_1', '')), args('{"a"'), args(':1}'), done(call(a)), completed(call(a))],
    ],
    [
      'where every item has the index 0',
      [
        created,
        added(message('')),
        text('hi'),
        done(message('hi')),
        added(call('')),
        args(a),
        done(call(a)),
        completed(message('hi'), call(a)),
      ],
    ],
    [
      'without an index',
      [
        created,
        added(message(''), {}),
        text('hi', {}),
        done(message('hi'), {}),
        added(call(''), {}),
        args(a, {}),
        done(call(a), {}),
        completed(message('hi'), call(a)),
      ],
    ],
    ['with arguments that are an object', [created, completed({ ...call(''), arguments: { a: 1 } })]],
  ])('%s', async (_name, events) => {
    expect(await read(events)).toMatchObject({ calls: [`f ${a}`], reason: 'tool_calls' });
  });

  it('beside another one that streams at the same time', async () => {
    const two = [call('{"a":1}'), call('{"b":2}', 'fc_2')] as const;
    const at = (id: string) => ({ item_id: id });
    const events = [
      added(call(''), {}),
      added(call('', 'fc_2'), {}),
      args('{"a":', at('fc_1')),
      args('{"b":', at('fc_2')),
      args('1}', at('fc_1')),
      args('2}', at('fc_2')),
    ];
    const wanted = { calls: ['f {"a":1}', 'f {"b":2}'], reason: 'tool_calls' };
    expect(await read([created, ...events, done(two[0], {}), done(two[1], {}), completed(...two)])).toMatchObject(wanted);
    expect(await read([created, ...events, completed(...two)])).toMatchObject(wanted);
  });
});
