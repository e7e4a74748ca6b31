/** Vendors that are called with OpenAI's Responses API: chosen per deployment, for every client format. */
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { responsesWords } from '../conformance/vendors/openai-responses.ts';
import type { Scene } from '../conformance/scene.ts';
import { startGateway, type TestGateway } from './gateway.ts';
import { startVendor, type Vendor, type VendorRequest } from './vendor.ts';

let gateway: TestGateway;
let vendor: Vendor;
let openai: OpenAI;
let anthropic: Anthropic;

const usage = { input: 20, output: 9, cached: 4, reasoning: 3 };
const call: Scene = {
  reasoning: 'I need the weather.',
  calls: [{ id: 'call_1', name: 'weather', arguments: { city: '北京' } }],
  finish: 'tool_calls',
  usage,
};
const words: Scene = { reasoning: 'Sunny then.', text: ['It is ', 'sunny.'], finish: 'stop', usage };
const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const weather = { type: 'function' as const, function: { name: 'weather', description: 'Tells the weather.', parameters } };

/** Returns the scenes in order, streamed when requested. */
function play(...scenes: readonly Scene[]): void {
  let turn = 0;
  vendor.behave((request, response) => {
    const scene = scenes[Math.min(turn++, scenes.length - 1)] as Scene;
    if (request.body.stream === true)
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(responsesWords.stream(scene).join(''));
    else response.writeHead(200, { 'content-type': 'application/json' }).end(responsesWords.whole(scene));
  });
}

const last = (): VendorRequest => vendor.requests.at(-1) as VendorRequest;

beforeAll(async () => {
  gateway = await startGateway();
  vendor = await startVendor();
  const provider = (kind: string) => ({ kind, options: { api_key: 'sk-secret-of-the-vendor', base_url: vendor.url } });
  for (const kind of ['openai', 'openai-compatible'])
    await gateway.as('admin', 'POST', '/api/providers', { name: kind, spec: provider(kind) });
  const make = (name: string, deployment: object) =>
    gateway.as('admin', 'POST', '/api/models', { name, spec: { deployments: [deployment] } });
  await make('new', { provider: 'openai', model: 'gpt-6-sol' });
  await make('catalogued', { provider: 'openai', model: 'o3-pro' });
  await make('old', { provider: 'openai', model: 'gpt-4o' });
  await make('forced', { provider: 'openai-compatible', model: 'any', api: 'responses' });
  await make('kept', { provider: 'openai', model: 'gpt-6-sol', api: 'chat_completions' });
  const token = await gateway.token('developer');
  openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: token, maxRetries: 0 });
  anthropic = new Anthropic({ baseURL: gateway.url, authToken: token, apiKey: null, maxRetries: 0 });
});

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});

beforeEach(() => play(words));

describe('the API of a deployment', () => {
  it.each([
    ['new', '/v1/responses'],
    ['catalogued', '/v1/responses'],
    ['forced', '/v1/responses'],
    ['old', '/v1/chat/completions'],
    ['kept', '/v1/chat/completions'],
  ])('%s is called with %s', async (model, path) => {
    await openai.chat.completions.create({ model, messages: [{ role: 'user', content: 'Hi' }] }).catch(() => {});
    expect(last().path).toBe(path);
  });

  it('that the vendor does not have is refused when the row is saved', async () => {
    await gateway.as('admin', 'POST', '/api/providers', {
      name: 'groq',
      spec: { kind: 'groq', options: { api_key: 'k', base_url: vendor.url } },
    });
    const made = await gateway.as('admin', 'POST', '/api/models', {
      name: 'wrong',
      spec: { deployments: [{ provider: 'groq', model: 'm', api: 'responses' }] },
    });
    expect(made.status).toBe(400);
    expect(made.json.error).toMatchObject({ param: 'spec.deployments[0].api', code: 'configuration_invalid' });
  });
});

describe.each([false, true])('streamed: %s', (stream) => {
  it('three turns of chat completions with reasoning and a tool', async () => {
    play(call, words);
    const ask = async (messages: OpenAI.ChatCompletionMessageParam[]): Promise<OpenAI.ChatCompletionMessage> => {
      const body = { model: 'new', messages, tools: [weather], reasoning_effort: 'low' as const, max_completion_tokens: 500 };
      if (!stream) return (await openai.chat.completions.create(body)).choices[0]?.message as OpenAI.ChatCompletionMessage;
      return openai.chat.completions.stream(body).finalMessage();
    };
    const question: OpenAI.ChatCompletionMessageParam = { role: 'user', content: 'Weather in 北京?' };
    const first = await ask([{ role: 'developer', content: 'Be brief.' }, question]);
    expect(first.tool_calls).toMatchObject([{ function: { name: 'weather', arguments: '{"city":"北京"}' } }]);
    expect(last().body).toMatchObject({
      store: false,
      input: [
        { role: 'developer', content: 'Be brief.' },
        { role: 'user', content: 'Weather in 北京?' },
      ],
      tools: [{ type: 'function', name: 'weather', parameters, strict: false }],
      reasoning: { effort: 'low' },
      include: ['reasoning.encrypted_content'],
      max_output_tokens: 500,
    });
    const id = first.tool_calls?.[0]?.id ?? '';
    const second = await ask([
      question,
      { role: 'assistant', content: null, tool_calls: first.tool_calls ?? [] },
      { role: 'tool', tool_call_id: id, content: 'sunny' },
    ]);
    expect(second.content).toBe('It is sunny.');
    // The client dropped the reasoning; it is remembered by the id of the call.
    expect(last().body.input.slice(1)).toMatchObject([
      { type: 'reasoning', id: 'rs_1', encrypted_content: 'sealed', summary: [] },
      { type: 'function_call', call_id: id, name: 'weather' },
      { type: 'function_call_output', call_id: id, output: 'sunny' },
    ]);
  });

  it('a chat completion carries counts, reasoning and the right reason', async () => {
    const answer = await gateway.as('developer', 'POST', '/v1/chat/completions', {
      model: 'new',
      stream,
      stream_options: stream ? { include_usage: true } : undefined,
      messages: [{ role: 'user', content: 'Hi' }],
    });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.text).toContain('"reasoning_content":"Sunny then."');
    expect(answer.text).toContain('"finish_reason":"stop"');
    expect(answer.text).toContain('"prompt_tokens":20');
    expect(answer.text).toContain('"completion_tokens":9');
  });

  it('the responses client format gets items with encrypted reasoning, and sends them back', async () => {
    play(call, words);
    const body = {
      model: 'new',
      tools: [{ type: 'function' as const, name: 'weather', parameters, strict: false }],
      include: ['reasoning.encrypted_content' as const],
      store: false,
    };
    const ask = async (input: OpenAI.Responses.ResponseInput): Promise<OpenAI.Responses.Response> =>
      stream ? openai.responses.stream({ ...body, input }).finalResponse() : openai.responses.create({ ...body, input });
    const first = await ask([{ role: 'user', content: 'Weather?' }]);
    expect(first.output.map(({ type }) => type)).toEqual(['reasoning', 'function_call']);
    const called = first.output.find(({ type }) => type === 'function_call') as OpenAI.Responses.ResponseFunctionToolCall;
    const second = await ask([
      { role: 'user', content: 'Weather?' },
      ...(first.output as OpenAI.Responses.ResponseInput),
      { type: 'function_call_output', call_id: called.call_id, output: 'sunny' },
    ]);
    expect(second.output_text).toBe('It is sunny.');
    expect(last().body.input[1]).toMatchObject({ type: 'reasoning', encrypted_content: 'sealed' });
  });

  it('the messages client format gets tool use and text', async () => {
    play(call, words);
    const tools = [{ name: 'weather', input_schema: parameters as Anthropic.Tool.InputSchema }];
    const ask = (messages: Anthropic.MessageParam[]): Promise<Anthropic.Message> => {
      const body = { model: 'new', max_tokens: 300, tools, messages };
      return stream ? anthropic.messages.stream(body).finalMessage() : anthropic.messages.create(body);
    };
    const first = await ask([{ role: 'user', content: 'Weather?' }]);
    expect(first.stop_reason).toBe('tool_use');
    const use = first.content.find(({ type }) => type === 'tool_use') as Anthropic.ToolUseBlock;
    expect(use.input).toEqual({ city: '北京' });
    const second = await ask([
      { role: 'user', content: 'Weather?' },
      { role: 'assistant', content: first.content as Anthropic.ContentBlockParam[] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: use.id, content: 'sunny' }] },
    ]);
    expect(second.content.filter(({ type }) => type === 'text')).toMatchObject([{ text: 'It is sunny.' }]);
  });
});

describe('fields that the format names differently', () => {
  const ask = (more: object) =>
    gateway.as('developer', 'POST', '/v1/chat/completions', { model: 'new', messages: [{ role: 'user', content: 'Hi' }], ...more });

  it('a schema, verbosity, a custom tool with a grammar and a tool choice are sent in its fields', async () => {
    const schema = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'], additionalProperties: false };
    play({ text: ['{"a":"b"}'], finish: 'stop', usage });
    await ask({
      response_format: { type: 'json_schema', json_schema: { name: 'answer', schema, strict: true } },
      verbosity: 'low',
      tools: [
        { type: 'custom', custom: { name: 'patch', format: { type: 'grammar', grammar: { syntax: 'lark', definition: 'start: "a"' } } } },
        weather,
      ],
      tool_choice: { type: 'function', function: { name: 'weather' } },
    });
    expect(last().body).toMatchObject({
      text: { format: { type: 'json_schema', name: 'answer', schema, strict: true }, verbosity: 'low' },
      tools: [
        { type: 'custom', name: 'patch', format: { type: 'grammar', syntax: 'lark', definition: 'start: "a"' } },
        { type: 'function', name: 'weather' },
      ],
      tool_choice: { type: 'function', name: 'weather' },
    });
  });

  it('pictures and files are input parts', async () => {
    await ask({
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'See' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=', detail: 'low' } },
            { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERg==' } },
          ],
        },
      ],
    });
    expect(last().body.input[0].content).toEqual([
      { type: 'input_text', text: 'See' },
      { type: 'input_image', image_url: 'data:image/png;base64,iVBORw0KGgo=', detail: 'low' },
      { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERg==' },
    ]);
  });

  it.each([
    ['n', { n: 2 }],
    ['stop', { stop: ['END'] }],
    ['logit_bias', { logit_bias: { 1: 5 } }],
  ])('%s is refused by name', async (param, more) => {
    const answer = await ask(more);
    expect(answer.status).toBe(400);
    expect(answer.json.error).toMatchObject({ code: 'unsupported_parameter', param });
  });

  it('a failed response is an error, and a cut one is length', async () => {
    vendor.behave((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify({
          id: 'r',
          object: 'response',
          status: 'failed',
          error: { code: 'rate_limit_exceeded', message: 'slow' },
          output: [],
        }),
      );
    });
    const failed = await ask({});
    expect(failed.status).toBe(429);
    play({ text: ['Half'], finish: 'length', usage });
    expect((await ask({})).json.choices[0]).toMatchObject({ finish_reason: 'length', message: { content: 'Half' } });
  });

  it('citations and images of hosted tools reach the client', async () => {
    const annotation = { type: 'url_citation', url: 'https://a.example', title: 'A', start_index: 0, end_index: 3 };
    vendor.behave((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify({
          id: 'r',
          object: 'response',
          status: 'completed',
          output: [
            { id: 'ws_1', type: 'web_search_call', status: 'completed' },
            { id: 'ig_1', type: 'image_generation_call', status: 'completed', result: 'iVBORw0KGgo=', output_format: 'png' },
            { id: 'm_1', type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'A is.', annotations: [annotation] }] },
          ],
          usage: { input_tokens: 1, output_tokens: 2, total_tokens: 3 },
        }),
      );
    });
    const { message } = (await ask({ web_search_options: {} })).json.choices[0];
    expect(last().body.tools).toEqual([{ type: 'web_search' }]);
    expect(message.content).toBe('A is.');
    expect(message.annotations).toMatchObject([{ type: 'url_citation', url_citation: { url: 'https://a.example', title: 'A' } }]);
    expect(JSON.stringify(message.images)).toContain('iVBORw0KGgo=');
  });
});
