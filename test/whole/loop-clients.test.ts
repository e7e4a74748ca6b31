/** The tool loop with official clients: three dependent rounds, two parallel calls, a failing tool, and a function of the caller. */
import { createOpenAI } from '@ai-sdk/openai';
import { ChatOpenAI } from '@langchain/openai';
import { type AIMessage, type AIMessageChunk, type BaseMessage, HumanMessage, ToolMessage } from '@langchain/core/messages';
import { generateText, isStepCount, jsonSchema, streamText, tool } from 'ai';
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
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
});
afterAll(() => owned.disposeAsync());
beforeEach(() => {
  vendor.requests.length = 0;
  // One call, then two parallel ones (one fails), then one more.
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

/** Both libraries lack server tools in chat completions, so the request is extended on the way. */
const withServer: typeof fetch = async (url, init) => {
  const body = JSON.parse(String(init?.body as string)) as { tools?: object[] };
  return fetch(url, { ...init, body: JSON.stringify({ ...body, tools: [...(body.tools ?? []), ...tools] }) });
};
const ofMine = { type: 'object' as const, properties: { q: { type: 'number' as const } } };

describe.each([false, true])('streamed %s', (stream) => {
  it('the ai SDK runs its own function among the tools of the server, in rounds of one answer', async () => {
    const ai = createOpenAI({ baseURL: `${gateway.url}/v1`, apiKey, fetch: withServer });
    const own = tool({ inputSchema: jsonSchema<{ q: number }>(ofMine), execute: () => 'own' });
    const options = { model: ai.chat('small'), prompt: 'go', tools: { mine: own }, stopWhen: isStepCount(4) };
    const ask = async () => {
      if (!stream) return generateText(options);
      const streamed = streamText({ ...options, onError: ({ error }) => expect.fail(String(error)) });
      return { text: await streamed.text, finishReason: await streamed.finishReason, totalUsage: await streamed.totalUsage };
    };
    const plain = await ask();
    expect(plain.text).toMatch(end);
    expect(plain.finishReason).toBe('stop');
    expect(plain.totalUsage.inputTokens).toBe(20);
    script = { 0: [calculate('a', '1+1')], 1: [calculate('b', '2+2'), mine] };
    const mixed = await ask();
    expect(mixed.text).toBe('All: 1+1 = 2, 2+2 = 4, own');
    expect(mixed.finishReason).toBe('stop');
  });

  it('LangChain calls its own function among them, and goes on with its result', async () => {
    const own = { type: 'function', function: { name: 'mine', description: 'mine', parameters: ofMine } };
    const chain = new ChatOpenAI({
      model: 'small',
      apiKey,
      configuration: { baseURL: `${gateway.url}/v1`, fetch: withServer },
      streaming: stream,
    });
    const ask = async (asked: BaseMessage[], functions: object[]): Promise<AIMessage> => {
      const bound = functions.length === 0 ? chain : chain.bindTools(functions);
      if (!stream) return bound.invoke(asked);
      let whole: AIMessageChunk | null = null;
      for await (const chunk of await bound.stream(asked)) whole = whole === null ? chunk : whole.concat(chunk);
      return whole as unknown as AIMessage;
    };
    const go = new HumanMessage('go');
    expect((await ask([go], [])).text).toMatch(end);
    script = { 0: [calculate('a', '1+1')], 1: [calculate('b', '2+2'), mine] };
    const first = await ask([go], [own]);
    expect(first.tool_calls).toMatchObject([{ name: 'mine', args: { q: 1 } }]);
    const result = new ToolMessage({ content: 'own', tool_call_id: first.tool_calls?.[0]?.id ?? '' });
    expect((await ask([go, first, result], [own])).text).toBe('All: 1+1 = 2, 2+2 = 4, own');
  });
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
    // Generated by Pailou, because the vendor restarts its ids in every conversation.
    expect(id).toMatch(/^call_\w{1,35}$/);
    const message = first.choices[0]?.message as OpenAI.ChatCompletionMessageParam;
    const next = await ask([...messages, message, { role: 'tool', tool_call_id: id, content: 'own' }]);
    expect(next.choices[0]?.message.content).toBe('All: 1+1 = 2, 2+2 = 4, own');
  },
);
