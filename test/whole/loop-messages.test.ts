/** Server-side tools on /v1/messages with Anthropic's client: as blocks for clients that support them, in `pailou.steps` for all others. */
import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkMessage, checkMessageStream, messageEvents } from '../contract/strict-messages.ts';
import { type LoopScene, startLoopScene } from './loop-scene.ts';
import { calculate, called } from './scripted-model.ts';

type Turns = Anthropic.Beta.BetaMessageParam[];
type Message = Anthropic.Beta.BetaMessage & { pailou?: { steps: { id: string; status: string }[]; limit?: string } };

let scene: LoopScene;
let anthropic: Anthropic;
beforeAll(async () => {
  scene = await startLoopScene();
  anthropic = new Anthropic({ baseURL: scene.gateway.url, authToken: scene.apiKey, apiKey: null, maxRetries: 0 });
});
afterAll(() => scene[Symbol.asyncDispose]());

const server = { type: 'mcp', server_label: 'demo', allowed_tools: ['calculate'] };
const asking = { ...server, require_approval: 'always' };
const city = { type: 'skill', name: 'city' };
const own = { name: 'mine', input_schema: { type: 'object' } };
const mine = called('m1', 'mine', { q: 1 });
const go: Turns = [{ role: 'user', content: 'go' }];
const betas = ['mcp-client-2025-11-20'];

async function ask(stream: boolean, messages: Turns, tools: readonly object[], more: object = {}): Promise<Message> {
  const body = { model: 'small', max_tokens: 100, messages, tools: tools as never, ...more };
  if (!stream) return anthropic.beta.messages.create({ ...body, stream: false });
  return anthropic.beta.messages.stream(body).finalMessage();
}
const types = ({ content }: Message): string[] => content.map(({ type }) => type);
const words = ({ content }: Message): string => content.map((block) => (block.type === 'text' ? block.text : '')).join('');
const back = ({ content }: Message) => ({ role: 'assistant', content }) as Turns[number];
const result = (answer: Pick<Anthropic.Beta.BetaMessage, 'content'>, content: string): Turns[number] => {
  const id = answer.content.find((block) => block.type === 'tool_use')?.id ?? '';
  return { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content }] };
};

describe.each([false, true])('streamed %s', (stream) => {
  it('shows rounds, parallel calls, a failure and a skill as blocks, and accepts them when they come back', async () => {
    scene.plays({
      0: { says: 'Let me see.', calls: [calculate('a', '1+1')] },
      1: [calculate('b', '2+2'), calculate('c', 'nonsense(')],
      3: [called('d', 'skill__city', { text: 'Suzhou' })],
    });
    const answer = await ask(stream, go, [server, city], { betas });
    expect(types(answer).join()).toMatch(
      /^text,mcp_tool_use,mcp_tool_result,mcp_tool_use,mcp_tool_use,mcp_tool_result,mcp_tool_result,mcp_tool_use,mcp_tool_result,text$/,
    );
    expect(words(answer)).toMatch(/All: 1\+1 = 2, 2\+2 = 4, The tool reports an error: .*, Gardens\.$/);
    expect(answer.content[1]).toMatchObject({ server_name: 'demo', name: 'calculate', input: { expression: '1+1' } });
    expect(answer.content[2]).toMatchObject({ is_error: false, content: [{ type: 'text', text: '1+1 = 2' }] });
    expect(answer.content.filter((block) => block.type === 'mcp_tool_result' && block.is_error)).toHaveLength(1);
    scene.plays({});
    await ask(stream, [...go, back(answer), { role: 'user', content: 'and?' }], [server, city], { betas });
    expect(scene.seen().slice(0, 8)).toEqual([
      'user go',
      'assistant Let me see. demo__calculate',
      'tool 1+1 = 2',
      'assistant demo__calculate demo__calculate',
      'tool 2+2 = 4',
      expect.stringContaining('tool The tool reports an error'),
      'assistant skill__city',
      'tool Gardens.',
    ]);
    // Also without the tools, and from a client that drops unknown blocks.
    expect(words(await ask(stream, [...go, back(answer), { role: 'user', content: 'and?' }], []))).toContain('Gardens.');
  });

  it('sends no blocks to clients that do not support them', async () => {
    scene.plays({ 0: { says: 'Let me see.', calls: [calculate('a', '1+1')] } });
    const body = { model: 'small', max_tokens: 100, messages: go, tools: [server], stream };
    const answer = await ask(stream, go, [server]);
    expect(answer.content.map((block) => block.type === 'text' && block.text)).toEqual(['Let me see.', 'All: 1+1 = 2']);
    const { text } = await scene.gateway.as('developer', 'POST', '/v1/messages', body);
    expect(text).not.toContain('mcp_tool');
    expect(text).toContain('"pailou":{"steps":[{"id":"1.1"');
    expect(stream ? checkMessageStream(text) : checkMessage(JSON.parse(text))).toEqual([]);
  });

  it.each([{}, { betas }])('returns a function of the caller among them, and restores the rounds (%j)', async (more) => {
    scene.plays({ 0: [calculate('a', '1+1')], 1: [calculate('b', '2+2'), mine] });
    const first = await ask(stream, go, [server, own], more);
    expect(first.stop_reason).toBe('tool_use');
    scene.plays({});
    const turns = [...go, back(first), result(first, 'own')];
    const next = await ask(stream, turns, [server, own], more);
    expect(words(next)).toBe('All: 1+1 = 2, 2+2 = 4, own');
    expect(scene.seen()).toEqual([
      'user go',
      'assistant demo__calculate',
      'tool 1+1 = 2',
      'assistant demo__calculate mine',
      'tool 2+2 = 4',
      'tool own',
    ]);
    expect(words(await ask(stream, [...turns, back(next), { role: 'user', content: 'and?' }], [server, own], more))).toContain('own');
  });

  it.each([
    [{}, true],
    [{}, false],
    [{ betas }, true],
    [{ betas }, false],
  ])('describes a pending approval in the text, with the way to answer (%j, %s)', async (more, approve) => {
    scene.plays({ 0: { says: 'May I?', calls: [calculate('a', '1+1'), called('s', 'skill__city', { text: 'x' })] } });
    const first = await ask(stream, go, [asking, city], more);
    expect(first.stop_reason).toBe('end_turn');
    expect(words(first)).toContain('mcp/demo/calculate waits for your approval of the input {"expression":"1+1"}');
    const [, approvalText] = /"gateway": (\{.*\}\]\})/.exec(words(first)) ?? [];
    const gateway = JSON.parse(approvalText?.replace('true', String(approve)) ?? '') as object;
    scene.plays({});
    const turns = [...go, back(first)];
    const next = await ask(stream, turns, [asking, city], { ...more, gateway });
    const outcome = approve ? '1+1 = 2' : 'The person did not allow this call.';
    expect(words(next)).toBe(`All: Gardens., ${outcome}`);
    expect(scene.seen()).toEqual(['user go', 'assistant May I? demo__calculate skill__city', 'tool Gardens.', `tool ${outcome}`]);
    const last = await ask(stream, [...turns, back(next), { role: 'user', content: 'and?' }], [asking, city], more);
    expect(last.stop_reason).toBe('end_turn');
    await expect(ask(stream, turns, [], { gateway })).rejects.toMatchObject({ status: 400 });
  });

  it('describes a pending approval beside a function of the caller', async () => {
    scene.plays({ 0: [calculate('a', '1+1'), mine] });
    const first = await ask(stream, go, [asking, own]);
    expect(first.stop_reason).toBe('tool_use');
    expect(types(first)).toEqual(['tool_use', 'text']);
    const [, approvalText] = /"gateway": (\{.*\}\]\})/.exec(words(first)) ?? [];
    scene.plays({});
    const turns = [...go, back(first), result(first, 'own')];
    const next = await ask(stream, turns, [asking, own], { gateway: JSON.parse(approvalText ?? '') as object });
    expect(words(next)).toBe('All: 1+1 = 2, own');
    expect(words(await ask(stream, [...turns, back(next), { role: 'user', content: 'and?' }], [asking, own]))).toBe('All: 1+1 = 2, own');
  });

  it('ends with pause_turn when the model needs more rounds than allowed', async () => {
    scene.plays({ 0: [calculate('a', '1+1')], 1: [calculate('b', '2+2')] });
    const answer = await ask(stream, go, [server], { betas, gateway: { max_steps: 1 } });
    expect(answer.stop_reason).toBe('pause_turn');
    expect(types(answer)).toEqual(['mcp_tool_use', 'mcp_tool_result']);
    scene.plays({ 1: [calculate('b', '2+2')] });
    expect(words(await ask(stream, [...go, back(answer)], [server], { betas }))).toBe('All: 1+1 = 2, 2+2 = 4');
  });
});

it('a disconnect of the caller during a tool call cancels the tool', async () => {
  scene.plays({ 0: [called('a', 'slow__say', {})] });
  const tools = [{ type: 'mcp', server_label: 'slow' }] as never;
  const body = { model: 'small', max_tokens: 9, messages: go, tools, betas };
  const stream = anthropic.beta.messages.stream(body);
  const blocks: string[] = [];
  stream.on('contentBlock', (block) => blocks.push(block.type));
  const ended = stream.finalMessage().catch((thrown: unknown) => thrown);
  await scene.leaving(() => Promise.resolve(stream.abort()));
  expect(await ended).toBeInstanceOf(Anthropic.APIUserAbortError);
  expect(blocks).toEqual(['mcp_tool_use']);
});

it('a stream whose model fails after a tool ends with an error, not with a stop reason', async () => {
  scene.vendor.behave((request, response) => {
    if ((request.body.messages as unknown[]).length > 1) return void response.destroy();
    const message = { role: 'assistant', content: null, tool_calls: [calculate('a', '1+1')] };
    const choices = [
      { index: 0, delta: { ...message, tool_calls: [{ index: 0, ...calculate('a', '1+1') }] }, finish_reason: 'tool_calls' },
    ];
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(
      `data: ${JSON.stringify({ id: 'v', object: 'chat.completion.chunk', created: 1, model: 'u', choices })}\n\ndata: [DONE]\n\n`,
    );
  });
  const body = { model: 'small', max_tokens: 9, messages: go, tools: [server], stream: true };
  const { text } = await scene.gateway.as('developer', 'POST', '/v1/messages', body, { 'anthropic-beta': betas.join() });
  const events = messageEvents(text);
  expect(events.at(-1)?.name).toBe('error');
  expect(text).toContain('1+1 = 2');
  expect(text).not.toContain('message_delta');
});
