/** The ai SDK's default responses model with server-side tools: it reads items, sends them back, and asks for approvals. */
import { createOpenAI } from '@ai-sdk/openai';
import { generateText, isStepCount, jsonSchema, type ModelMessage, streamText, tool } from 'ai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LoopScene, startLoopScene } from './loop-scene.ts';
import { calculate, called } from './scripted-model.ts';

let scene: LoopScene;
let openai: ReturnType<typeof createOpenAI>;
beforeAll(async () => {
  scene = await startLoopScene();
  openai = createOpenAI({ baseURL: `${scene.gateway.url}/v1`, apiKey: scene.apiKey });
});
afterAll(() => scene[Symbol.asyncDispose]());

const mine = () => tool({ inputSchema: jsonSchema<{ q: number }>({ type: 'object' }), execute: () => 'own' });
/** Its field for a connector of OpenAI; Pailou reads only the label. */
const demo = (requireApproval: 'always' | 'never' = 'never') =>
  openai.tools.mcp({ serverLabel: 'demo', connectorId: 'demo', allowedTools: ['calculate'], requireApproval });

describe.each([
  [false, true],
  [true, true],
  [false, false],
  [true, false],
])('streamed %s, store %s', (stream, store) => {
  async function ask(messages: ModelMessage[], tools: Parameters<typeof generateText>[0]['tools']) {
    const options = {
      model: openai('small'),
      messages,
      stopWhen: isStepCount(4),
      providerOptions: { openai: { store } },
      ...(tools === undefined ? {} : { tools }),
    };
    if (!stream) return generateText(options);
    const streamed = streamText({ ...options, onError: ({ error }) => expect.fail(String(error)) });
    return {
      text: await streamed.text,
      content: await streamed.content,
      finishReason: await streamed.finishReason,
      response: await streamed.response,
      steps: await streamed.steps,
    };
  }
  const go: ModelMessage[] = [{ role: 'user', content: 'go' }];

  it('reads calls and results, and can continue in the next turn', async () => {
    scene.plays({ 0: [calculate('a', '1+1')], 1: [calculate('b', '2+2'), calculate('c', 'nonsense(')] });
    const answer = await ask(go, { mcp: demo() });
    expect(answer.text).toMatch(/^All: 1\+1 = 2, 2\+2 = 4, The tool reports an error/);
    expect(answer.finishReason).toBe('stop');
    const results = answer.content.filter(({ type }) => type === 'tool-result');
    expect(results).toHaveLength(3);
    expect(JSON.stringify(results)).toContain('"output":"1+1 = 2"');
    scene.plays({});
    const next = await ask([...go, ...(answer.response.messages as ModelMessage[]), { role: 'user', content: 'and?' }], { mcp: demo() });
    // Without store it omits items of server-side tools.
    expect(next.text).toMatch(store ? /^All: 1\+1 = 2, 2\+2 = 4/ : /^All: $/);
    expect(next.finishReason).toBe('stop');
  });

  it('runs a function of its own among them', async () => {
    scene.plays({ 0: [calculate('a', '1+1')], 1: [calculate('b', '2+2'), called('m1', 'mine', { q: 1 })] });
    const answer = await ask(go, { mcp: demo(), mine: mine() });
    expect(answer.text).toBe('All: 1+1 = 2, 2+2 = 4, own');
    expect(answer.steps).toHaveLength(2);
  });

  it.each([true, false])('asks for an approval (%s)', async (approved) => {
    scene.plays({ 0: [calculate('a', '1+1')] });
    const first = await ask(go, { mcp: demo('always') });
    const question = first.content.find(({ type }) => type === 'tool-approval-request') as { approvalId: string } | undefined;
    expect(question).toBeDefined();
    const turns: ModelMessage[] = [
      ...go,
      ...(first.response.messages as ModelMessage[]),
      {
        role: 'tool',
        content: [{ type: 'tool-approval-response', approvalId: question?.approvalId ?? '', approved, providerExecuted: true }],
      },
    ];
    scene.plays({});
    const next = await ask(turns, { mcp: demo('always') });
    expect(next.text).toBe(approved ? 'All: 1+1 = 2' : 'All: The person did not allow this call.');
    const last = await ask([...turns, ...(next.response.messages as ModelMessage[]), { role: 'user', content: 'and?' }], {
      mcp: demo('always'),
    });
    expect(last.finishReason).toBe('stop');
  });
});
