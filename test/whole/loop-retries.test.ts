/** A vendor that fails after a tool call: automatic retries of clients must not run the tool again. */
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type LoopScene, startLoopScene } from './loop-scene.ts';
import { called, playing } from './scripted-model.ts';

let scene: LoopScene;
const messages = [{ role: 'user' as const, content: 'go' }];
const tools = (require_approval = 'never') => [{ type: 'mcp', server_label: 'slow', require_approval }] as never;
const play = playing(() => ({ 0: [called('a', 'slow__say', {})] }));
/** The number of requests with a tool result that fail. */
let failures: number;

beforeAll(async () => {
  scene = await startLoopScene();
  scene.vendor.behave((request, response) => {
    const isBehind = (request.body.messages as { role: string }[]).some(({ role }) => role === 'tool');
    if (!isBehind || failures-- <= 0) return play(request, response);
    response.writeHead(503, { 'content-type': 'application/json' }).end('{"error":{"message":"overloaded"}}');
  });
});
afterAll(() => scene[Symbol.asyncDispose]());
beforeEach(() => {
  scene.slow.inputs.length = 0;
  failures = 1_000;
});

it('openai does not retry a request whose tool has run', async () => {
  const client = new OpenAI({ baseURL: `${scene.gateway.url}/v1`, apiKey: scene.apiKey });
  await expect(client.chat.completions.create({ model: 'small', messages, tools: tools() })).rejects.toMatchObject({ status: 503 });
  await expect(client.responses.create({ model: 'small', input: 'go', tools: tools() })).rejects.toMatchObject({ status: 503 });
  expect(scene.slow.inputs).toHaveLength(2);
});

it('Anthropic’s client does not retry a request whose tool has run', async () => {
  const client = new Anthropic({ baseURL: scene.gateway.url, apiKey: scene.apiKey });
  const body = { model: 'small', max_tokens: 100, messages, tools: tools() };
  await expect(client.messages.create(body)).rejects.toMatchObject({ status: 503 });
  expect(scene.slow.inputs).toHaveLength(1);
});

it('openai retries a decision, because its results are stored', async () => {
  const client = new OpenAI({ baseURL: `${scene.gateway.url}/v1`, apiKey: scene.apiKey });
  const asked = await client.responses.create({ model: 'small', input: 'go', tools: tools('always') });
  const [question] = asked.output.filter(({ type }) => type === 'mcp_approval_request');
  // The number of the gateway's own attempts in one request.
  failures = 2;
  const answer = await client.responses.create({
    model: 'small',
    previous_response_id: asked.id,
    input: [{ type: 'mcp_approval_response', approval_request_id: question?.id ?? '', approve: true }],
    tools: tools('always'),
  });
  expect(answer.output_text).toBe('All: said');
  expect(scene.slow.inputs).toHaveLength(1);
});
