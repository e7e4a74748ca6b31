/** Cached answers for clients of every format: stored from a stream or a whole answer, returned as either. */
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from './gateway.ts';
import { chunks, completion, startVendor, type Vendor, type VendorRequest } from './vendor.ts';

let gateway: TestGateway;
let vendor: Vendor;
let openai: OpenAI;
let anthropic: Anthropic;
/** The headers of the latest answer to any client. */
let latest: Headers;

const words = ['Under ', 'the ', 'gate, ', 'once ', 'more.'];
const calls = [
  { id: 'call_one', name: 'weather', input: { city: 'Suzhou' } },
  { id: 'call_two', name: 'weather', input: { city: 'Xi’an' } },
];
const onWire = calls.map(({ id, name, input }) => ({ id, type: 'function', function: { name, arguments: JSON.stringify(input) } }));

function chunk(delta: object, reason: string | null = null): string {
  return `data: ${JSON.stringify({ id: 'v', object: 'chat.completion.chunk', created: 1, model: 'up', choices: [{ index: 0, delta, finish_reason: reason }] })}\n\n`;
}
const usageChunk = `data: ${JSON.stringify({ id: 'v', object: 'chat.completion.chunk', created: 1, model: 'up', choices: [], usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 } })}\n\n`;

/** One answer in both forms: text, or two tool calls when the request has tools. */
function answerOf({ body }: VendorRequest): string {
  const tools = body.tools !== undefined;
  if (body.stream !== true) return tools ? completion(null, { tool_calls: onWire }, 'tool_calls') : completion(words.join(''));
  if (!tools) return chunks(words).join('').replace('"completion_tokens":5,"total_tokens":10', '"completion_tokens":2,"total_tokens":7');
  const parts = onWire.flatMap((call, index) => [
    chunk({ tool_calls: [{ index, ...call, function: { name: call.function.name, arguments: '' } }] }),
    ...call.function.arguments.split(/(?<=:)/).map((text) => chunk({ tool_calls: [{ index, function: { arguments: text } }] })),
  ]);
  return [...parts, chunk({}, 'tool_calls'), usageChunk, 'data: [DONE]\n\n'].join('');
}

beforeAll(async () => {
  gateway = await startGateway();
  vendor = await startVendor();
  vendor.behave((request, response) => {
    response.writeHead(200, { 'content-type': request.body.stream === true ? 'text/event-stream' : 'application/json' });
    response.end(answerOf(request));
  });
  await gateway.as('admin', 'POST', '/api/providers', {
    name: 'vendor',
    spec: { kind: 'openai-compatible', options: { base_url: vendor.url } },
  });
  const made = await gateway.as('admin', 'POST', '/api/models', {
    name: 'faq',
    spec: { deployments: [{ provider: 'vendor', model: 'up' }], cache: {} },
  });
  expect(made.status, made.text).toBe(201);
  const token = await gateway.token('developer');
  const watched: typeof fetch = async (...given) => {
    const response = await fetch(...given);
    latest = response.headers;
    return response;
  };
  openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: token, maxRetries: 0, fetch: watched });
  anthropic = new Anthropic({ baseURL: gateway.url, authToken: token, apiKey: null, maxRetries: 0, fetch: watched });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});

/** The received answer in a form that all formats share. */
interface Got {
  readonly id: string;
  readonly said: string;
  readonly calls: readonly object[];
  readonly end: string | null | undefined;
  readonly usage: readonly (number | undefined)[];
}
interface Asked {
  readonly content: string;
  readonly stream: boolean;
  readonly tools: boolean;
}
const parameters = { type: 'object' as const, properties: { city: { type: 'string' } } };

async function byChat({ content, stream, tools }: Asked): Promise<Got> {
  const question = {
    model: 'faq',
    messages: [{ role: 'user' as const, content }],
    ...(tools ? { tools: [{ type: 'function' as const, function: { name: 'weather', parameters } }] } : {}),
  };
  const { id, choices, usage } = stream
    ? await openai.chat.completions.stream({ ...question, stream_options: { include_usage: true } }).finalChatCompletion()
    : await openai.chat.completions.create(question);
  const [choice] = choices;
  const called = (choice?.message.tool_calls ?? []).flatMap((call) =>
    call.type === 'function' ? [{ id: call.id, name: call.function.name, input: JSON.parse(call.function.arguments) as object }] : [],
  );
  return {
    id,
    said: choice?.message.content ?? '',
    calls: called,
    end: choice?.finish_reason,
    usage: [usage?.prompt_tokens, usage?.completion_tokens],
  };
}

async function byResponses({ content, stream, tools }: Asked): Promise<Got> {
  const question = {
    model: 'faq',
    input: content,
    ...(tools ? { tools: [{ type: 'function' as const, name: 'weather', parameters, strict: false }] } : {}),
  };
  const response = stream ? await openai.responses.stream(question).finalResponse() : await openai.responses.create(question);
  const { id, output, usage } = response;
  const called = output.flatMap((item) =>
    item.type === 'function_call' ? [{ id: item.call_id, name: item.name, input: JSON.parse(item.arguments) as object }] : [],
  );
  const said = output.flatMap((item) =>
    item.type === 'message' ? item.content.map((part) => (part.type === 'output_text' ? part.text : '')) : [],
  );
  return { id, said: said.join(''), calls: called, end: response.status, usage: [usage?.input_tokens, usage?.output_tokens] };
}

async function byMessages({ content, stream, tools }: Asked): Promise<Got> {
  const question = {
    model: 'faq',
    max_tokens: 100,
    messages: [{ role: 'user' as const, content }],
    ...(tools ? { tools: [{ name: 'weather', input_schema: parameters }] } : {}),
  };
  const message = stream ? await anthropic.messages.stream(question).finalMessage() : await anthropic.messages.create(question);
  return {
    id: message.id,
    said: message.content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
    calls: message.content.flatMap((block) => (block.type === 'tool_use' ? [{ id: block.id, name: block.name, input: block.input }] : [])),
    end: message.stop_reason,
    usage: [message.usage.input_tokens, message.usage.output_tokens],
  };
}

const formats = { '/v1/chat/completions': byChat, '/v1/responses': byResponses, '/v1/messages': byMessages };
const form = (stream: boolean): string => (stream ? 'as a stream' : 'whole');

const ways = [false, true].flatMap((tools) =>
  [false, true].flatMap((first) => [false, true].map((again) => ({ tools, first, again, came: form(first), goes: form(again) }))),
);

describe.each(Object.entries(formats))('an answer of %s', (name, ask) => {
  it.each(ways)('that was stored $came is returned $goes; with tool calls: $tools', async ({ tools, first, again: then }) => {
    const content = `${name} ${tools} ${first} ${then}`;
    const before = vendor.requests.length;
    const got = await ask({ content, tools, stream: first });
    expect(got).toMatchObject({ said: tools ? '' : words.join(''), calls: tools ? calls : [], usage: [5, 2] });
    expect([latest.get('x-pailou-cache'), latest.get('age'), latest.get('x-pailou-deployment')]).toEqual(['miss', null, 'faq#vendor/up']);
    const again = await ask({ content, tools, stream: then });
    expect(latest.get('content-type')).toMatch(then ? /^text\/event-stream/ : /^application\/json/);
    expect([latest.get('x-pailou-cache'), latest.get('x-pailou-deployment'), latest.get('x-pailou-attempts')]).toEqual([
      'hit',
      'cache',
      '0',
    ]);
    expect(Number(latest.get('age'))).toBeLessThan(5);
    expect({ ...again, id: '' }).toEqual({ ...got, id: '' });
    expect(again.id).not.toBe(got.id);
    expect(vendor.requests.length - before, 'the vendor is asked once').toBe(1);
    await ask({ content: `${content}!`, tools, stream: then });
    expect(latest.get('x-pailou-cache'), 'another question is another answer').toBe('miss');
  });
});

describe('a stream of a cached answer', () => {
  it('has several chunks', async () => {
    vendor.behave((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(chunks(Array.from({ length: 400 }, (_, index) => `word${index} `)).join(''));
    });
    const ask = async (): Promise<{ pieces: number; text: string }> => {
      const stream = await openai.chat.completions.create({ model: 'faq', stream: true, messages: [{ role: 'user', content: 'long' }] });
      let [pieces, text] = [0, ''];
      for await (const { choices } of stream) {
        const piece = choices[0]?.delta.content ?? '';
        if (piece !== '') pieces++;
        text += piece;
      }
      return { pieces, text };
    };
    const first = await ask();
    const again = await ask();
    expect(latest.get('x-pailou-cache')).toBe('hit');
    expect(again.text).toBe(first.text);
    expect(again.pieces).toBeGreaterThan(5);
  });
});

describe('/v1/responses', () => {
  it('stores a cached answer under a new id, and continues from either', async () => {
    vendor.behave((request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(completion(`after ${request.body.messages.length}`));
    });
    const ask = (more: object = {}) => openai.responses.create({ model: 'faq', input: 'Shall we?', ...more });
    const [first, again] = [await ask(), await ask()];
    expect(latest.get('x-pailou-cache')).toBe('hit');
    expect(again.created_at).toBeGreaterThanOrEqual(first.created_at);
    expect((await openai.responses.retrieve(again.id)).output_text).toBe('after 1');
    const on = (previous: string) => ask({ input: 'Go on.', previous_response_id: previous });
    const third = await on(first.id);
    expect([latest.get('x-pailou-cache'), third.output_text]).toEqual(['miss', 'after 3']);
    const fourth = await on(again.id);
    expect([latest.get('x-pailou-cache'), fourth.output_text], 'the same conversation').toEqual(['hit', 'after 3']);
    expect(fourth.previous_response_id).toBe(again.id);
    await ask({ input: 'Go on.' });
    expect(latest.get('x-pailou-cache'), 'without what came before').toBe('miss');
    await openai.responses.delete(again.id);
    expect((await openai.responses.retrieve(first.id)).id).toBe(first.id);
  });

  it('does not store a response with store: false', async () => {
    const answer = await openai.responses.create({ model: 'faq', input: 'Shall we?', store: false });
    expect(latest.get('x-pailou-cache'), 'that is no part of the question').toBe('hit');
    await expect(openai.responses.retrieve(answer.id)).rejects.toMatchObject({ status: 404 });
  });
});

describe('/v1/messages', () => {
  it('repeats the warnings about omitted fields', async () => {
    vendor.behave((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(completion('ok'));
    });
    const ask = () =>
      anthropic.beta.messages.create({
        model: 'faq',
        max_tokens: 100,
        messages: [{ role: 'user', content: 'warn me' }],
        betas: ['context-management-2025-06-27'],
        context_management: { edits: [{ type: 'clear_tool_uses_20250919' }] },
      });
    await ask();
    const warnings = latest.get('x-pailou-warnings');
    expect(warnings).toBe('context_management left out: vendor has none');
    await ask();
    expect([latest.get('x-pailou-cache'), latest.get('x-pailou-warnings')]).toEqual(['hit', warnings]);
  });
});

describe('/v1/embeddings', () => {
  it('returns the same vectors in the requested encoding', async () => {
    const made = await gateway.as('admin', 'POST', '/api/models', {
      name: 'vectors',
      spec: { deployments: [{ provider: 'vendor', model: 'up' }], operations: ['embeddings'], cache: {} },
    });
    expect(made.status, made.text).toBe(201);
    vendor.behave((request, response) => {
      const data = [request.body.input]
        .flat()
        .map((_: string, index: number) => ({ index, object: 'embedding', embedding: [0.1, -2.5e-7, index] }));
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ object: 'list', data, model: 'up', usage: { prompt_tokens: 3, total_tokens: 3 } }));
    });
    const ask = (more: object = {}) =>
      openai.embeddings.create({ model: 'vectors', input: ['one', 'two'], encoding_format: 'float', ...more });
    const before = vendor.requests.length;
    const first = await ask();
    expect([latest.get('x-pailou-cache'), latest.get('x-pailou-deployment')]).toEqual(['miss', 'vectors#vendor/up']);
    const again = await ask();
    expect([latest.get('x-pailou-cache'), latest.get('age'), latest.get('x-pailou-deployment')]).toEqual(['hit', '0', 'cache']);
    expect(again).toEqual({ ...first, id: (again as { id?: string }).id });
    expect(again.data[1]?.embedding).toEqual([0.1, -2.5e-7, 1]);
    expect(vendor.requests.length - before).toBe(1);
    await ask({ input: ['two', 'one'] });
    expect(latest.get('x-pailou-cache')).toBe('miss');
    await ask({ dimensions: 3 });
    expect(latest.get('x-pailou-cache')).toBe('miss');
  });
});
