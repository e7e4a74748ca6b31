/** Server-run tools on /v1/responses, reported as items in OpenAI's form. With OpenAI's client, streamed and not, and each way to continue. */
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkResponse, checkResponseStream, responseEvents } from '../contract/strict-responses.ts';
import { eventually } from './gateway.ts';
import { type LoopScene, startLoopScene } from './loop-scene.ts';
import { calculate, called } from './scripted-model.ts';

type Input = OpenAI.Responses.ResponseInputItem[];
type Answer = OpenAI.Responses.Response;
type Items<T> = Extract<OpenAI.Responses.ResponseOutputItem, { type: T }>[];

let scene: LoopScene;
let openai: OpenAI;
beforeAll(async () => {
  scene = await startLoopScene();
  openai = new OpenAI({ baseURL: `${scene.gateway.url}/v1`, apiKey: scene.apiKey, maxRetries: 0 });
});
afterAll(() => scene[Symbol.asyncDispose]());

const server = { type: 'mcp', server_label: 'demo', allowed_tools: ['calculate'] };
const asking = { ...server, require_approval: 'always' };
const city = { type: 'skill', name: 'city' };
const own = { type: 'function', name: 'mine', parameters: { type: 'object' }, strict: false };
const mine = called('m1', 'mine', { q: 1 });
/** The call id of the caller's own function. */
const callIdOf = (response: OpenAI.Responses.Response): string =>
  response.output.find((item) => item.type === 'function_call')?.call_id ?? '';
const user = (content: string) => ({ role: 'user', content }) as const;
const items = <T extends OpenAI.Responses.ResponseOutputItem['type']>({ output }: Answer, type: T) =>
  output.filter((item) => item.type === type) as Items<T>;
const types = ({ output }: Answer): string[] => output.map(({ type }) => type);

const ways = ['previous_response_id', 'all items again', 'store false'] as const;
const cases = ways.flatMap((way) => [false, true].map((stream) => [way, stream] as const));

/** A conversation that continues in one of the supported ways. */
class Talk {
  readonly #way: (typeof ways)[number];
  readonly #stream: boolean;
  readonly #tools: readonly object[];
  #input: Input = [];
  #last: string | undefined;

  constructor(way: (typeof ways)[number], stream: boolean, tools: readonly object[]) {
    this.#way = way;
    this.#stream = stream;
    this.#tools = tools;
  }

  async say(...more: Input): Promise<Answer> {
    const isById = this.#way === 'previous_response_id';
    this.#input = isById ? more : [...this.#input, ...more];
    const body = {
      model: 'small',
      input: this.#input,
      tools: this.#tools as never,
      store: this.#way !== 'store false',
      ...(isById && this.#last !== undefined ? { previous_response_id: this.#last } : {}),
    };
    const answer = this.#stream
      ? ((await openai.responses.stream(body).finalResponse()) as Answer)
      : await openai.responses.create({ ...body, stream: false });
    const wrong = checkResponse(answer);
    if (wrong.length > 0) throw new Error(wrong.join('; '));
    this.#last = answer.id;
    this.#input = [...this.#input, ...(answer.output as Input)];
    return answer;
  }
}

it.each(cases)('%s, streamed %s: rounds, parallel calls, a failure and a skill appear in order', async (way, stream) => {
  scene.plays({
    0: { says: 'Let me see.', calls: [calculate('a', '1+1')] },
    1: [calculate('b', '2+2'), calculate('c', 'nonsense(')],
    3: [called('d', 'skill__city', { text: 'Suzhou' })],
  });
  const talk = new Talk(way, stream, [server, city]);
  const answer = await talk.say(user('go'));
  expect(types(answer)).toEqual(['message', 'mcp_call', 'mcp_call', 'mcp_call', 'mcp_call', 'message']);
  expect(answer.output_text).toMatch(/^Let me see\.All: 1\+1 = 2, 2\+2 = 4, The tool reports an error: .*, Gardens\.$/);
  const calls = items(answer, 'mcp_call');
  expect(calls.map(({ server_label: label, name, status }) => [label, name, status])).toEqual([
    ['demo', 'calculate', 'completed'],
    ['demo', 'calculate', 'completed'],
    ['demo', 'calculate', 'failed'],
    ['skill', 'city', 'completed'],
  ]);
  expect(calls[0]).toMatchObject({ arguments: '{"expression":"1+1"}', output: '1+1 = 2', error: null, approval_request_id: null });
  expect(JSON.stringify(calls[2]?.error)).toContain('The tool reports an error');
  expect((answer as unknown as { pailou: { steps: object[] } }).pailou.steps).toHaveLength(4);
  expect((answer as unknown as { pailou: object }).pailou).not.toHaveProperty('steps.0.output');

  scene.plays({});
  const next = await talk.say(user('and?'));
  expect(next.output_text).toContain('All: 1+1 = 2, 2+2 = 4, The tool reports an error');
  // Items do not mark parallel calls: consecutive calls without text between them become one round.
  const rounds =
    way === 'previous_response_id'
      ? ['assistant Let me see. demo__calculate', 'assistant demo__calculate demo__calculate', 'assistant skill__city']
      : ['assistant Let me see. demo__calculate demo__calculate demo__calculate skill__city'];
  const said = scene.seen().filter((message) => message.startsWith('assistant'));
  expect(said.slice(0, -1)).toEqual(rounds);
  expect(said.at(-1)).toMatch(/^assistant All: /);
});

describe('calls that need approval', () => {
  it.each(cases.flatMap((each) => [true, false].map((approve) => [...each, approve] as const)))(
    '%s, streamed %s: wait as items, and are decided by an item (%s)',
    async (way, stream, approve) => {
      scene.plays({ 0: { says: 'May I?', calls: [calculate('a', '1+1'), called('s', 'skill__city', { text: 'x' })] } });
      const talk = new Talk(way, stream, [asking, city]);
      const first = await talk.say(user('go'));
      expect(types(first)).toEqual(['message', 'mcp_call', 'mcp_approval_request']);
      expect(first.status).toBe('completed');
      const [question] = items(first, 'mcp_approval_request');
      expect(question).toMatchObject({ server_label: 'demo', name: 'calculate', arguments: '{"expression":"1+1"}' });
      scene.plays({});
      const id = question?.id ?? '';
      const decision = { type: 'mcp_approval_response', approval_request_id: id, approve } as const;
      const next = await talk.say(decision);
      const result = approve ? '1+1 = 2' : 'The person did not allow this call.';
      expect(next.output_text).toBe(`All: Gardens., ${result}`);
      expect(items(next, 'mcp_call')).toMatchObject(approve ? [{ approval_request_id: id, output: '1+1 = 2' }] : []);
      expect(scene.seen()).toEqual(['user go', 'assistant May I? demo__calculate skill__city', 'tool Gardens.', `tool ${result}`]);

      const last = await talk.say(user('and?'));
      expect(last.output_text).toContain(result);
      expect(scene.seen().filter((message) => message.startsWith('assistant') && message.includes('demo__calculate'))).toHaveLength(1);
    },
  );

  it('are restored without the instructions, which each request may send or omit', async () => {
    scene.plays({ 0: [calculate('a', '1+1')] });
    const body = { model: 'small', tools: [asking] as never };
    const first = await openai.responses.create({ ...body, input: 'go', instructions: 'Be brief.' });
    scene.plays({});
    const [question] = items(first, 'mcp_approval_request');
    const input: Input = [{ type: 'mcp_approval_response', approval_request_id: question?.id ?? '', approve: true }];
    const next = await openai.responses.create({ ...body, input, previous_response_id: first.id });
    expect(next.output_text).toBe('All: 1+1 = 2');
  });

  it('name the item in the error: decided differently before, without its tool, of another caller', async () => {
    scene.plays({ 0: [calculate('a', '1+1')] });
    const first = await openai.responses.create({ model: 'small', input: 'go', tools: [asking] as never });
    const [question] = items(first, 'mcp_approval_request');
    const input: Input = [{ type: 'mcp_approval_response', approval_request_id: question?.id ?? '', approve: true }];
    const decide = (more: object = {}) =>
      openai.responses.create({ model: 'small', input, tools: [asking] as never, previous_response_id: first.id, ...more });
    const place = { status: 400, param: 'input[0].approval_request_id' };
    await expect(decide({ tools: [] })).rejects.toMatchObject(place);
    const all = [user('go'), ...input];
    const other = { model: 'small', input: all, tools: [asking] };
    expect((await scene.gateway.as('admin', 'POST', '/v1/responses', other)).json.error.message).toContain('no call waits');
    scene.plays({});
    expect((await decide()).output_text).toBe('All: 1+1 = 2');
    // A repeated decision does not run the tool again; a different one is refused.
    expect((await decide()).output_text).toBe('All: 1+1 = 2');
    const no = [{ ...input[0], approve: false }];
    await expect(decide({ input: no })).rejects.toMatchObject(place);
  });
});

it.each(cases)('%s, streamed %s: a function of the caller is returned among them, and all rounds are restored', async (way, stream) => {
  scene.plays({ 0: [calculate('a', '1+1')], 1: [calculate('b', '2+2'), mine] });
  const talk = new Talk(way, stream, [server, own]);
  const first = await talk.say(user('go'));
  expect(types(first).toSorted()).toEqual(['function_call', 'mcp_call', 'mcp_call']);
  scene.plays({});
  const next = await talk.say({ type: 'function_call_output', call_id: callIdOf(first), output: 'own' });
  expect(next.output_text).toBe('All: 1+1 = 2, 2+2 = 4, own');
  expect(scene.seen()).toEqual([
    'user go',
    'assistant demo__calculate',
    'tool 1+1 = 2',
    'assistant demo__calculate mine',
    'tool 2+2 = 4',
    'tool own',
  ]);
  expect((await talk.say(user('and?'))).output_text).toMatch(/^All: 1\+1 = 2, 2\+2 = 4, own/);
});

it.each(cases)('%s, streamed %s: a decision and the result of the caller’s function arrive together', async (way, stream) => {
  scene.plays({ 0: [calculate('a', '1+1'), mine] });
  const talk = new Talk(way, stream, [asking, own]);
  const first = await talk.say(user('go'));
  expect(types(first)).toEqual(['function_call', 'mcp_approval_request']);
  scene.plays({});
  const [question] = items(first, 'mcp_approval_request');
  const next = await talk.say(
    { type: 'function_call_output', call_id: callIdOf(first), output: 'own' },
    { type: 'mcp_approval_response', approval_request_id: question?.id ?? '', approve: true },
  );
  expect(next.output_text).toBe('All: 1+1 = 2, own');
  expect((await talk.say(user('and?'))).output_text.split(': ')[1]?.split(', ').toSorted()).toEqual(['1+1 = 2', 'own']);
});

it('a client that drops the items of server rounds can continue', async () => {
  scene.plays({ 0: [calculate('a', '1+1')], 1: [calculate('b', '2+2'), mine] });
  const first = await openai.responses.create({ model: 'small', input: 'go', tools: [server, own] as never, store: false });
  scene.plays({});
  const input = [
    user('go'),
    ...items(first, 'function_call'),
    { type: 'function_call_output', call_id: callIdOf(first), output: 'own' },
  ] as Input;
  const next = await openai.responses.create({ model: 'small', input, tools: [server, own] as never, store: false });
  expect(next.output_text).toBe('All: 1+1 = 2, 2+2 = 4, own');
});

it('the inner calls of a skill appear as its steps only', async () => {
  scene.plays({ 0: [calculate('a', '1+1')] });
  const options = { instructions: 'Count.' };
  const spec = { kind: 'prompt', description: 'Counts.', model: 'small', tools: ['mcp/demo/calculate'], options };
  expect((await scene.gateway.as('admin', 'POST', '/api/skills', { name: 'counts', spec })).status).toBe(201);
  const answer = await openai.responses.create({ model: 'skill/counts', input: 'go' });
  expect(answer.output_text).toBe('All: 1+1 = 2');
  expect(types(answer)).toEqual(['message']);
  expect(answer).toMatchObject({ pailou: { steps: [{ capability: 'mcp/demo/calculate', status: 'completed' }] } });
});

it('the published events report a call as it proceeds, and the stream is strict', async () => {
  scene.plays({ 0: [calculate('a', '1+1')] });
  const { text } = await scene.gateway.as('developer', 'POST', '/v1/responses', {
    model: 'small',
    input: 'go',
    stream: true,
    tools: [server],
  });
  expect(checkResponseStream(text)).toEqual([]);
  const all = responseEvents(text).map(({ type }) => type as string);
  expect(all.slice(2, 8)).toEqual([
    'response.output_item.added',
    'response.mcp_call.in_progress',
    'response.mcp_call_arguments.delta',
    'response.mcp_call_arguments.done',
    'response.mcp_call.completed',
    'response.output_item.done',
  ]);
});

describe('the end of an answer', () => {
  const call = (more: object = {}) =>
    scene.gateway.as('developer', 'POST', '/v1/responses', { model: 'small', input: 'go', tools: [server], ...more });

  it.each([false, true])('streamed %s: is incomplete, with the reason, when the model needs more rounds than allowed', async (stream) => {
    scene.plays({ 0: [calculate('a', '1+1')], 1: [calculate('b', '2+2')] });
    const answer = await call({ stream, gateway: { max_steps: 1 } });
    const response = stream ? responseEvents(answer.text).at(-1).response : answer.json;
    expect(response).toMatchObject({ status: 'incomplete', incomplete_details: { reason: 'max_steps' }, pailou: { limit: 'max_steps' } });
    expect((response as Answer).output).toMatchObject([{ type: 'mcp_call', status: 'completed' }]);
    scene.plays({ 0: [calculate('a', '1+1')] });
    const obeyed = await call({ gateway: { max_steps: 1 } });
    expect(obeyed.json).toMatchObject({ status: 'completed', pailou: { limit: 'max_steps' } });
  });

  it('follows a disconnect of the caller, even during a tool call, which is cancelled', async () => {
    scene.plays({ 0: [called('a', 'slow__say', {})] });
    const controller = new AbortController();
    const tools = [{ type: 'mcp', server_label: 'slow' }] as never;
    const stream = await openai.responses.create({ model: 'small', input: 'go', tools, stream: true }, { signal: controller.signal });
    const heard: string[] = [];
    const listening = (async () => {
      for await (const event of stream) heard.push(event.type);
    })();
    await scene.leaving(() => Promise.resolve(controller.abort()));
    await listening.catch(() => {});
    expect(heard.at(-1)).toBe('response.mcp_call_arguments.done');
    const latest = async () => (await scene.gateway.as('admin', 'GET', '/api/runs?limit=3')).json.data as { outcome: string }[];
    await eventually(latest, (runs) => runs.some(({ outcome }) => outcome === 'aborted'));
  });

  it('is a failure where the model fails after a tool, with the items emitted before', async () => {
    scene.vendor.behave((request, response) => {
      if ((request.body.messages as unknown[]).length > 1) return void response.destroy();
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const delta = { tool_calls: [{ index: 0, ...calculate('a', '1+1') }] };
      for (const choice of [
        { index: 0, delta, finish_reason: null },
        { index: 0, delta: {}, finish_reason: 'tool_calls' },
      ])
        response.write(
          `data: ${JSON.stringify({ id: 'v', object: 'chat.completion.chunk', created: 1, model: 'u', choices: [choice] })}\n\n`,
        );
      response.end('data: [DONE]\n\n');
    });
    const events = responseEvents((await call({ stream: true })).text);
    expect(events.slice(-2).map(({ type }) => type)).toEqual(['error', 'response.failed']);
    expect(events.at(-1).response).toMatchObject({ status: 'failed', output: [{ type: 'mcp_call', output: '1+1 = 2' }] });
  });
});
