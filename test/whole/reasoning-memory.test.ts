/** A vendor's reasoning is returned to it in the next turn, although an OpenAI client keeps only text and tool calls. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import OpenAI from 'openai';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startGateway, type TestGateway } from './gateway.ts';

let gateway: TestGateway;
let vendor: Server;
let openai: OpenAI;
const seen: string[] = [];

const signature = 'c2lnbmF0dXJlLW9mLWEtdGhvdWdodA==';
const thought = 'The caller wants the gate; I must look it up.';

/** One call of `find` after reasoning, whole, in each vendor's format. */
const turns: Readonly<Record<string, object>> = {
  anthropic: {
    id: 'msg-1',
    type: 'message',
    role: 'assistant',
    model: 'claude',
    content: [
      { type: 'thinking', thinking: thought, signature },
      { type: 'tool_use', id: 'toolu-1', name: 'find', input: { query: 'gate' } },
    ],
    stop_reason: 'tool_use',
    stop_sequence: null,
    usage: { input_tokens: 5, output_tokens: 9 },
  },
  gemini: {
    candidates: [
      {
        index: 0,
        content: {
          role: 'model',
          parts: [
            { text: thought, thought: true },
            { functionCall: { name: 'find', args: { query: 'gate' } }, thoughtSignature: signature },
          ],
        },
        finishReason: 'STOP',
      },
    ],
    usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 4, thoughtsTokenCount: 5, totalTokenCount: 14 },
  },
  deepseek: {
    id: 'c-1',
    object: 'chat.completion',
    created: 1,
    model: 'deepseek',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: null,
          reasoning_content: thought,
          tool_calls: [{ id: 'call-1', type: 'function', function: { name: 'find', arguments: '{"query":"gate"}' } }],
        },
        finish_reason: 'tool_calls',
      },
    ],
    usage: { prompt_tokens: 5, completion_tokens: 9, total_tokens: 14 },
  },
};
const upstream: Readonly<Record<string, string>> = {
  anthropic: 'claude-opus-4-5',
  gemini: 'gemini-3-pro-preview',
  deepseek: 'deepseek-reasoner',
};

beforeAll(async () => {
  vendor = createServer((request, response) => {
    readText(request).then(
      (body) => {
        seen.push(body);
        const kind = Object.keys(upstream).find((each) => request.url?.includes(`/${each}`)) ?? 'deepseek';
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(turns[kind]));
      },
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => vendor.listen(0, '127.0.0.1', resolve));
  gateway = await startGateway();
  const base = `http://127.0.0.1:${(vendor.address() as AddressInfo).port}`;
  for (const [kind, model] of Object.entries(upstream)) {
    const provider = { name: kind, spec: { kind, options: { api_key: 'key', base_url: `${base}/${kind}` } } };
    expect((await gateway.as('admin', 'POST', '/api/providers', provider)).status).toBe(201);
    const deployments = [{ provider: kind, model }];
    expect((await gateway.as('admin', 'POST', '/api/models', { name: kind, spec: { deployments } })).status).toBe(201);
  }
  openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: await gateway.token('developer'), maxRetries: 0 });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  vendor.closeAllConnections();
  vendor.close();
});

const tools = [
  { type: 'function' as const, function: { name: 'find', parameters: { type: 'object', properties: { query: { type: 'string' } } } } },
];

it.each([
  ['anthropic', signature],
  ['gemini', signature],
  ['deepseek', thought],
])('%s', async (model, wanted) => {
  const question = { role: 'user' as const, content: 'Where is the gate?' };
  const first = await openai.chat.completions.create({ model, messages: [question], tools, reasoning_effort: 'high' });
  const message = first.choices[0]?.message;
  expect(message).toMatchObject({ reasoning_content: thought, tool_calls: [{ function: { name: 'find' } }] });
  const calls = message?.tool_calls ?? [];
  const back = [
    question,
    // As a strict client stores it: without reasoning, only fields of OpenAI's schema.
    { role: 'assistant' as const, content: null, tool_calls: calls },
    { role: 'tool' as const, tool_call_id: calls[0]?.id ?? '', content: 'to the south' },
  ];
  await openai.chat.completions.create({ model, messages: back, tools, reasoning_effort: 'high' });
  expect(seen.at(-1)).toContain(wanted);
  expect(seen.at(-1)).toContain('to the south');

  // Another person with the call ids gets nothing of the reasoning.
  await gateway.as('admin', 'POST', '/v1/chat/completions', { model, messages: back, tools, reasoning_effort: 'high' });
  expect(seen.at(-1)).not.toContain(wanted);
});
