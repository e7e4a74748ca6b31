/** The tool loop with each wire format: the next request contains calls, results and reasoning as its vendor requires. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startGateway, type TestGateway } from './gateway.ts';

interface Speech {
  readonly upstream: string;
  /** An answer with reasoning and two parallel calls. */
  readonly calls: object;
  readonly says: (words: string) => object;
  /** The former turns in the next request, in order. */
  readonly back: readonly string[];
}

const signature = 'c2lnbmF0dXJl';
const sums = ['1+1', '2+2'] as const;
const usage = { prompt_tokens: 5, completion_tokens: 9, total_tokens: 14 };
const openai = (message: object, finish_reason: string) => ({
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason }],
  usage,
});
const openaiCalls = sums.map((expression, index) => ({
  id: `call-${index}`,
  type: 'function',
  function: { name: 'demo__calculate', arguments: JSON.stringify({ expression }) },
}));
const claude = (content: readonly object[], stop_reason: string) => ({
  id: 'msg',
  type: 'message',
  role: 'assistant',
  model: 'claude',
  content,
  stop_reason,
  stop_sequence: null,
  usage: { input_tokens: 5, output_tokens: 9 },
});
const gemini = (parts: readonly object[]) => ({
  candidates: [{ index: 0, content: { role: 'model', parts }, finishReason: 'STOP' }],
  usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 4, thoughtsTokenCount: 5, totalTokenCount: 14 },
});
const ollama = (message: object) => ({
  model: 'm',
  created_at: '2026-01-01T00:00:00Z',
  message: { role: 'assistant', ...message },
  done: true,
  done_reason: 'stop',
  prompt_eval_count: 5,
  eval_count: 9,
});
const bedrock = (content: readonly object[], stopReason: string) => ({
  output: { message: { role: 'assistant', content } },
  stopReason,
  usage: { inputTokens: 5, outputTokens: 9, totalTokens: 14 },
});
const dashscope = (message: object, finish_reason: string) => ({
  request_id: 'r',
  output: { choices: [{ message: { role: 'assistant', ...message }, finish_reason }] },
  usage: { input_tokens: 5, output_tokens: 9, total_tokens: 14 },
});

const vendors: Readonly<Record<string, Speech>> = {
  anthropic: {
    upstream: 'claude-opus-4-5',
    calls: claude(
      [
        { type: 'thinking', thinking: 'A thought.', signature },
        ...sums.map((expression, index) => ({ type: 'tool_use', id: `toolu-${index}`, name: 'demo__calculate', input: { expression } })),
      ],
      'tool_use',
    ),
    says: (text) => claude([{ type: 'text', text }], 'end_turn'),
    back: [
      `{"type":"thinking","thinking":"A thought.","signature":"${signature}"}`,
      '"id":"toolu-0"',
      '"id":"toolu-1"',
      '"tool_use_id":"toolu-0","content":"1+1 = 2"',
      '"tool_use_id":"toolu-1","content":"2+2 = 4"',
    ],
  },
  gemini: {
    upstream: 'gemini-3-pro-preview',
    calls: gemini([
      { text: 'A thought.', thought: true },
      ...sums.map((expression, index) => ({
        functionCall: { name: 'demo__calculate', args: { expression } },
        ...(index === 0 ? { thoughtSignature: signature } : {}),
      })),
    ]),
    says: (text) => gemini([{ text }]),
    back: ['"args":{"expression":"1+1"}', `"thoughtSignature":"${signature}"`, '"args":{"expression":"2+2"}', '1+1 = 2', '2+2 = 4'],
  },
  bedrock: {
    upstream: 'anthropic.claude-sonnet-4-5-v1:0',
    calls: bedrock(
      [
        { reasoningContent: { reasoningText: { text: 'A thought.', signature } } },
        ...sums.map((expression, index) => ({ toolUse: { toolUseId: `t-${index}`, name: 'demo__calculate', input: { expression } } })),
      ],
      'tool_use',
    ),
    says: (text) => bedrock([{ text }], 'end_turn'),
    back: [`"signature":"${signature}"`, '"toolUseId":"t-0"', '"toolUseId":"t-1"', '1+1 = 2', '2+2 = 4'],
  },
  ollama: {
    upstream: 'qwen3',
    calls: ollama({
      content: '',
      thinking: 'A thought.',
      tool_calls: sums.map((expression) => ({ function: { name: 'demo__calculate', arguments: { expression } } })),
    }),
    says: (content) => ollama({ content }),
    back: ['"thinking":"A thought."', '"arguments":{"expression":"1+1"}', '"arguments":{"expression":"2+2"}', '1+1 = 2', '2+2 = 4'],
  },
  dashscope: {
    upstream: 'qwen-plus',
    calls: dashscope({ content: '', reasoning_content: 'A thought.', tool_calls: openaiCalls }, 'tool_calls'),
    says: (content) => dashscope({ content }, 'stop'),
    back: ['"id":"call-0"', '"id":"call-1"', '1+1 = 2', '2+2 = 4'],
  },
  deepseek: {
    upstream: 'deepseek-reasoner',
    calls: openai({ content: null, reasoning_content: 'A thought.', tool_calls: openaiCalls }, 'tool_calls'),
    says: (content) => openai({ content }, 'stop'),
    back: ['"reasoning_content":"A thought."', '"id":"call-0"', '"id":"call-1"', '1+1 = 2', '2+2 = 4'],
  },
  'openai-compatible': {
    upstream: 'm',
    calls: openai({ content: null, reasoning_content: 'A thought.', tool_calls: openaiCalls }, 'tool_calls'),
    says: (content) => openai({ content }, 'stop'),
    back: ['"content":null,"tool_calls":[{"id":"call-0"', '"id":"call-1"', '1+1 = 2', '2+2 = 4'],
  },
};
/** The options of a provider beside its address. */
const keys: Readonly<Record<string, object>> = {
  bedrock: { region: 'us-east-1', access_key_id: 'AKIAEXAMPLE', secret_access_key: 'secret' },
  ollama: {},
  'openai-compatible': {},
};

let gateway: TestGateway;
let server: Server;
const seen: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    readText(request).then(
      (body) => {
        seen.push(body);
        const speech = vendors[request.url?.split('/')[1] ?? ''] as Speech;
        const answer = body.includes('1+1 = 2') ? speech.says('Two and four.') : speech.calls;
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
      },
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  gateway = await startGateway();
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  for (const [kind, { upstream }] of Object.entries(vendors)) {
    const options = { ...(keys[kind] ?? { api_key: 'key' }), base_url: `${base}/${kind}` };
    const provider = await gateway.as('admin', 'POST', '/api/providers', { name: kind, spec: { kind, options } });
    expect(provider.status, provider.text).toBe(201);
    const deployments = [{ provider: kind, model: upstream }];
    expect((await gateway.as('admin', 'POST', '/api/models', { name: kind, spec: { deployments } })).status).toBe(201);
  }
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  server.closeAllConnections();
  server.close();
});

it.each(Object.keys(vendors))('%s', async (model) => {
  const answer = await gateway.as('developer', 'POST', '/v1/chat/completions', {
    model,
    messages: [{ role: 'user', content: 'go' }],
    tools: [{ type: 'mcp', server_label: 'demo', allowed_tools: ['calculate'] }],
    reasoning_effort: 'high',
  });
  expect(answer.json.choices?.[0]?.message?.content, answer.text).toBe('Two and four.');
  expect(answer.json.usage).toMatchObject({ total_tokens: 28 });
  let rest = seen.at(-1) ?? '';
  for (const part of vendors[model]?.back ?? []) {
    expect(rest).toContain(part);
    rest = rest.slice(rest.indexOf(part));
  }
});
