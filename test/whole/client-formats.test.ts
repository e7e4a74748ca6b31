/** One gateway with three client formats: models, skills and the team's tools work in each of them. */
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkMessageStream } from '../contract/strict-messages.ts';
import { checkResponseStream } from '../contract/strict-responses.ts';
import { checkStream } from '../contract/strict-chat.ts';
import { type Answer, eventually, startGateway, type TestGateway } from './gateway.ts';

let gateway: TestGateway;
let anthropic: Anthropic;
let openai: OpenAI;

beforeAll(async () => {
  gateway = await startGateway();
  const token = await gateway.token('developer');
  anthropic = new Anthropic({ baseURL: gateway.url, apiKey: token, maxRetries: 0 });
  openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: token, maxRetries: 0 });
  const skill = await gateway.as('admin', 'POST', '/api/skills', {
    name: 'city',
    spec: { kind: 'prompt', description: 'Speaks about a city.', model: 'demo/echo', options: { instructions: 'Speak.' } },
  });
  expect(skill.status, skill.text).toBe(201);
});
afterAll(() => gateway[Symbol.asyncDispose]());

/** Asks the same question in each client format; each stream is checked against the contract of its format. */
async function askAll(model: string, question: string, tools?: readonly object[]): Promise<Answer[]> {
  const more = { model, stream: true, ...(tools === undefined ? {} : { tools }) };
  const messages = [{ role: 'user', content: question }];
  const answers = [
    await gateway.as('developer', 'POST', '/v1/chat/completions', { ...more, messages }),
    await gateway.as('developer', 'POST', '/v1/messages', { ...more, messages, max_tokens: 100 }),
    await gateway.as('developer', 'POST', '/v1/responses', { ...more, input: question }),
  ];
  for (const answer of answers) expect(answer.status, answer.text).toBe(200);
  const [chat, message, response] = answers;
  expect(checkStream(chat?.text ?? '')).toEqual([]);
  expect(checkMessageStream(message?.text ?? '')).toEqual([]);
  expect(checkResponseStream(response?.text ?? '')).toEqual([]);
  return answers;
}

describe('each client format', () => {
  it('reaches a model', async () => {
    for (const answer of await askAll('demo/echo', 'Hello')) expect(answer.text).toContain('Hello');
  });

  it('reaches a skill', async () => {
    for (const answer of await askAll('skill/city', 'Suzhou')) expect(answer.text).toContain('Suzhou');
  });

  it('lets the gateway call the team’s tools, and lists the steps', async () => {
    for (const answer of await askAll('demo/tools', 'What is 6 * 7?', [{ type: 'mcp', server_label: 'demo' }])) {
      expect(answer.text).toContain('42');
      expect(answer.text).toContain('"status":"completed"');
    }
    const unknown = { model: 'demo/tools', tools: [{ type: 'mcp', server_label: 'nobody' }] };
    const messages = [{ role: 'user', content: 'x' }];
    expect((await gateway.as('developer', 'POST', '/v1/messages', { ...unknown, messages, max_tokens: 1 })).json.error.type).toBe(
      'not_found_error',
    );
    expect((await gateway.as('developer', 'POST', '/v1/responses', { ...unknown, input: 'x' })).status).toBe(404);
  });

  it('records the run under the same name', async () => {
    await askAll('demo/echo', 'count me');
    const runs = await eventually(
      async () =>
        (await gateway.as('admin', 'GET', '/api/runs?limit=3')).json.data as { capability: string; usage: { input_tokens: number } }[],
      (newest) => newest.length === 3 && newest.every((run) => run.capability === 'model/demo/echo'),
    );
    expect(new Set(runs.map((run) => run.usage.input_tokens)).size).toBe(1);
  });

  it('omits reasoning where the caller disables it, by the same option', async () => {
    const answer = await anthropic.messages.create({
      model: 'demo/echo',
      max_tokens: 10,
      messages: [{ role: 'user', content: 'Hi' }],
      gateway: { reasoning: false },
    } as Anthropic.MessageCreateParamsNonStreaming);
    expect(answer.content).toMatchObject([{ type: 'text' }]);
    await expect(openai.responses.create({ model: 'demo/echo', input: 'x', gateway: { max_stepz: 1 } } as object)).rejects.toMatchObject({
      constructor: OpenAI.BadRequestError,
      param: 'gateway.max_stepz',
    });
  });
});
