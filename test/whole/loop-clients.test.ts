/** The tool loop with the official clients: three dependent rounds, a parallel pair, a failing tool, a function of the caller's own. */
import { createOpenAI } from '@ai-sdk/openai';
import { ChatOpenAI } from '@langchain/openai';
import { streamText } from 'ai';
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { checkCompletion, checkStream } from '../contract/strict-chat.ts';
import { startGateway, type TestGateway } from './gateway.ts';
import { calculate, called, playing, type Script } from './scripted-model.ts';
import { startVendor, type Vendor, type VendorRequest } from './vendor.ts';

const owned = new AsyncDisposableStack();
let gateway: TestGateway;
let vendor: Vendor;
let apiKey: string;
const mine = called('m1', 'mine', { q: 1 });
let script: Script;

beforeAll(async () => {
  gateway = owned.use(await startGateway());
  vendor = owned.use(await startVendor());
  vendor.behave(playing(() => script));
  await gateway.as('admin', 'POST', '/api/providers', {
    name: 'vendor',
    spec: { kind: 'openai-compatible', options: { base_url: vendor.url } },
  });
  await gateway.as('admin', 'POST', '/api/models', { name: 'small', spec: { deployments: [{ provider: 'vendor', model: 'm' }] } });
  apiKey = await gateway.token('developer');
}, 30_000);
afterAll(() => owned.disposeAsync());
beforeEach(() => {
  vendor.requests.length = 0;
  // One, then two at once (one of them fails), then one more.
  script = { 0: [calculate('a', '1+1')], 1: [calculate('b', '2+2'), calculate('c', 'nonsense(')], 3: [calculate('d', '3+3')] };
});

const tools = [{ type: 'mcp', server_label: 'demo', allowed_tools: ['calculate'] }];
const messages = [{ role: 'user' as const, content: 'go' }];
const end = /^All: 1\+1 = 2, 2\+2 = 4, The tool reports an error: .*, 3\+3 = 6$/;

it.each([false, true])('openai, streamed %s: rounds in order, one answer, summed usage', async (stream) => {
  const answered = await gateway.as('developer', 'POST', '/v1/chat/completions', {
    model: 'small',
    messages,
    tools,
    stream,
    stream_options: stream ? { include_usage: true } : undefined,
  });
  expect(answered.status, answered.text).toBe(200);
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey });
  const body = { model: 'small', messages, tools: tools as never };
  const done = stream ? await client.chat.completions.stream(body).finalChatCompletion() : await client.chat.completions.create(body);
  expect(done.choices[0]?.message.content).toMatch(end);
  expect(done.choices[0]?.finish_reason).toBe('stop');
  expect(done.choices[0]?.message.tool_calls ?? []).toEqual([]);
  const order = ((vendor.requests.at(-1) as VendorRequest).body.messages as { role: string; tool_call_id?: string }[]).map(
    ({ role, tool_call_id: id }) => id ?? role,
  );
  expect(order).toEqual(['user', 'assistant', 'a', 'assistant', 'b', 'c', 'assistant', 'd']);
  if (stream) checkStream(answered.text);
  else checkCompletion(answered.json);
  expect(answered.text).toContain('"prompt_tokens":20');
});

it('the ai SDK and LangChain, streamed, get the same answer', async () => {
  const fetcher: typeof fetch = async (url, init) => {
    const body = JSON.parse(String(init?.body as string)) as object;
    return fetch(url, { ...init, body: JSON.stringify({ ...body, tools }) });
  };
  const ai = createOpenAI({ baseURL: `${gateway.url}/v1`, apiKey, fetch: fetcher });
  const streamed = streamText({ model: ai.chat('small'), prompt: 'go' });
  expect(await streamed.text).toMatch(end);
  expect(await streamed.finishReason).toBe('stop');
  const chain = new ChatOpenAI({
    model: 'small',
    apiKey,
    configuration: { baseURL: `${gateway.url}/v1`, fetch: fetcher },
    streaming: true,
  });
  let text = '';
  for await (const chunk of await chain.stream('go')) text += typeof chunk.content === 'string' ? chunk.content : '';
  expect(text).toMatch(end);
});

it.each([false, true])(
  'openai, streamed %s: a function of the caller’s own among them comes back alone, and the rest is found again',
  async (stream) => {
    script = { 0: [calculate('a', '1+1')], 1: [calculate('b', '2+2'), mine] };
    const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey });
    const all = [...tools, { type: 'function', function: { name: 'mine', parameters: { type: 'object' } } }] as never;
    const ask = async (asked: OpenAI.ChatCompletionMessageParam[]) => {
      const body = { model: 'small', messages: asked, tools: all };
      return stream ? client.chat.completions.stream(body).finalChatCompletion() : client.chat.completions.create(body);
    };
    const first = await ask(messages);
    expect(first.choices[0]?.finish_reason).toBe('tool_calls');
    expect(first.choices[0]?.message.tool_calls).toMatchObject([{ function: { name: 'mine' } }]);
    const id = first.choices[0]?.message.tool_calls?.[0]?.id ?? '';
    // Of our own: the vendor counts from the start again in every conversation.
    expect(id).toMatch(/^call_\w{1,35}$/);
    const message = first.choices[0]?.message as OpenAI.ChatCompletionMessageParam;
    const next = await ask([...messages, message, { role: 'tool', tool_call_id: id, content: 'own' }]);
    expect(next.choices[0]?.message.content).toBe('All: 1+1 = 2, 2+2 = 4, own');
  },
);
