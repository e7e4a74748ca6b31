/** The tool loop against a scripted model: rounds, steps, mixed calls, limits and failures. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runToolLoop, type ToolLoopOptions } from '../../src/extensions/tool-loop.ts';
import type { ServerTool } from '../../src/extensions/tool-requests.ts';
import type { ChatBody, ChatEvent, ChatEvents, Usage } from '../../src/types/chat.ts';
import { GatewayError } from '../../src/types/errors.ts';
import type { JsonObject } from '../../src/types/json.ts';
import type { ToolResult } from '../../src/types/tool-source.ts';
import type { ChatStates } from '../../src/types/chat-state.ts';
import { openStates, person, principal } from './mcp/services.ts';

interface Call {
  readonly id: string;
  readonly name: string;
  readonly arguments?: string;
}
interface Answer {
  readonly text?: string;
  readonly calls?: readonly Call[];
  readonly usage?: Usage | null;
}

let states: ChatStates & AsyncDisposable;
beforeAll(async () => void (states = await openStates()));
afterAll(() => states[Symbol.asyncDispose]());

const usage: Usage = { inputTokens: 10, outputTokens: 3 };
const tool = (name: string, needsApproval = false): ServerTool => ({
  capability: `mcp/demo/${name}`,
  name: `demo__${name}`,
  description: `does ${name}`,
  inputSchema: { type: 'object' },
  needsApproval,
});
const text = (words: string): ToolResult => ({ content: [{ type: 'text', text: words }] });
const clientFunction = { type: 'function', function: { name: 'mine', parameters: {} } };

async function* answerEvents(answer: Answer): ChatEvents {
  yield [{ type: 'response-start', id: 'v' }];
  if (answer.text !== undefined) yield [{ type: 'text-delta', choice: 0, text: answer.text }];
  for (const [call, { id, name, arguments: given = '{}' }] of (answer.calls ?? []).entries()) {
    yield [{ type: 'tool-call-start', choice: 0, call, id, name }];
    for (const piece of given.match(/.{1,4}/g) ?? []) yield [{ type: 'tool-call-delta', choice: 0, call, arguments: piece }];
  }
  yield [
    { type: 'finish', choice: 0, reason: (answer.calls ?? []).length > 0 ? 'tool_calls' : 'stop' },
    { type: 'response-end', usage: answer.usage === undefined ? usage : answer.usage },
  ];
}

/** Plays `script`, one answer per model call; the last one for ever. */
async function play(script: readonly (Answer | Error)[], options: Partial<ToolLoopOptions> & { body?: Partial<ChatBody> } = {}) {
  const bodies: ChatBody[] = [];
  const inputs: JsonObject[] = [];
  const body = { model: 'm', messages: [{ role: 'user', content: 'go' }], ...options.body };
  const events = await runToolLoop({
    owner: principal,
    states,
    run: randomUUID(),
    tools: [tool('add'), tool('look')],
    signal: new AbortController().signal,
    callTool: (_tool, input) => {
      inputs.push(input);
      return Promise.resolve(text('done'));
    },
    callModel: (request) => {
      const answer = script[Math.min(bodies.length, script.length - 1)] as Answer | Error;
      bodies.push(structuredClone<ChatBody>(request.body));
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve({ events: answerEvents(answer) });
    },
    ...options,
    request: { body },
  });
  const seen: ChatEvent[] = [];
  for await (const batch of events) seen.push(...batch);
  return { seen, bodies, inputs };
}

const ofType = <T extends ChatEvent['type']>(seen: readonly ChatEvent[], type: T) =>
  seen.filter((event): event is Extract<ChatEvent, { type: T }> => event.type === type);
const lastMessages = (bodies: readonly ChatBody[]): readonly JsonObject[] => bodies.at(-1)?.messages ?? [];

describe('rounds', () => {
  it('runs the calls, feeds their results back and shows one answer', async () => {
    const { seen, bodies, inputs } = await play([
      { text: 'Let me see. ', calls: [{ id: 'a', name: 'demo__add', arguments: '{"x":1}' }] },
      { text: 'It is done.' },
    ]);
    expect(inputs).toEqual([{ x: 1 }]);
    expect(lastMessages(bodies).slice(1)).toEqual([
      {
        role: 'assistant',
        content: 'Let me see. ',
        tool_calls: [{ id: 'a', type: 'function', function: { name: 'demo__add', arguments: '{"x":1}' } }],
      },
      { role: 'tool', tool_call_id: 'a', content: 'done' },
    ]);
    expect(
      ofType(seen, 'text-delta')
        .map((event) => event.text)
        .join(''),
    ).toBe('Let me see. It is done.');
    expect(ofType(seen, 'response-start')).toHaveLength(1);
    expect(ofType(seen, 'finish')).toEqual([{ type: 'finish', choice: 0, reason: 'stop' }]);
    expect(ofType(seen, 'response-end')).toEqual([{ type: 'response-end', usage: null }]);
    expect(seen.some((event) => event.type.startsWith('tool-call'))).toBe(false);
    expect(ofType(seen, 'step').map((event) => [event.step.status, event.step.capability])).toEqual([
      ['started', 'mcp/demo/add'],
      ['completed', 'mcp/demo/add'],
    ]);
  });

  it('runs the calls of one round at the same time, and each step has its own duration', async () => {
    const delays: Record<string, number> = { add: 20, look: 220 };
    const started = Date.now();
    const { seen, bodies } = await play(
      [
        {
          calls: [
            { id: 'a', name: 'demo__look' },
            { id: 'b', name: 'demo__add' },
            { id: 'c', name: 'demo__look' },
          ],
        },
        { text: 'ok' },
      ],
      {
        callTool: async ({ capability }) => {
          await new Promise((resolve) => setTimeout(resolve, delays[capability.slice('mcp/demo/'.length)]));
          return text(capability.slice('mcp/demo/'.length));
        },
      },
    );
    expect(Date.now() - started).toBeLessThan(420);
    expect(lastMessages(bodies).slice(2)).toEqual(
      ['look', 'add', 'look'].map((content, index) => ({ role: 'tool', tool_call_id: 'abc'[index], content })),
    );
    const quick = ofType(seen, 'step').find((event) => event.step.status !== 'started' && event.step.capability === 'mcp/demo/add');
    expect(quick?.step.duration_ms).toBeLessThan(150);
  });

  it('stops at the step limit with one last round in which tools are forbidden', async () => {
    const { seen, bodies } = await play([{ calls: [{ id: 'a', name: 'demo__add' }] }], { maxSteps: 2 });
    expect(bodies.map((body) => body['tool_choice'])).toEqual([undefined, undefined, 'none']);
    expect(ofType(seen, 'finish')).toEqual([{ type: 'finish', choice: 0, reason: 'length', raw: 'max_steps', limit: 'max_steps' }]);
    const obeyed = await play([{ calls: [{ id: 'a', name: 'demo__add' }] }, { text: 'so far' }], { maxSteps: 1 });
    expect(ofType(obeyed.seen, 'finish')).toEqual([{ type: 'finish', choice: 0, reason: 'stop', limit: 'max_steps' }]);
  });

  it('drops a forced choice after the first round', async () => {
    const { bodies } = await play([{ calls: [{ id: 'a', name: 'demo__add' }] }, { text: 'x' }], { body: { tool_choice: 'required' } });
    expect(bodies.map((body) => body['tool_choice'])).toEqual(['required', undefined]);
  });

  it('gives the model a name of its own for a tool whose name the caller already uses', async () => {
    const taken = { type: 'function', function: { name: 'demo__add' } };
    const { bodies } = await play([{ text: 'x' }], { body: { tools: [taken] } });
    const names = (bodies[0]?.tools ?? []).map((each) => (each['function'] as JsonObject)['name'] as string);
    expect(names[0]).toBe('demo__add');
    expect(new Set(names).size).toBe(3);
    for (const name of names) expect(name).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
  });

  it('refuses several choices', async () => {
    await expect(play([{ text: 'x' }], { body: { n: 2 } })).rejects.toMatchObject({ code: 'invalid_request', param: 'n' });
  });
});

describe('failures', () => {
  const round = (given?: string): Answer => ({
    calls: [{ id: 'a', name: 'demo__add', ...(given === undefined ? {} : { arguments: given }) }],
  });

  it.each(['[1]', '{"x":', '"text"'])('tells the model that %s is not a JSON object', async (given) => {
    const { bodies, inputs, seen } = await play([round(given), { text: 'sorry' }]);
    expect(inputs).toEqual([]);
    expect(lastMessages(bodies).at(-1)?.['content']).toContain('not a JSON object');
    expect(ofType(seen, 'step').at(-1)?.step.status).toBe('failed');
  });

  it('tells the model of a denial, of a time limit and of a tool that failed', async () => {
    for (const code of ['permission_denied', 'upstream_timeout', 'tool_failed'] as const) {
      const { bodies, seen } = await play([round(), { text: 'sorry' }], {
        callTool: () => Promise.reject(new GatewayError(code, `because ${code}`)),
      });
      expect(lastMessages(bodies).at(-1)?.['content']).toContain(`because ${code}`);
      expect(ofType(seen, 'step').at(-1)?.step).toMatchObject({ status: 'failed', error: code });
    }
    const own = await play([round(), { text: 'sorry' }], { callTool: () => Promise.resolve({ ...text('no such file'), isError: true }) });
    expect(lastMessages(own.bodies).at(-1)?.['content']).toContain('no such file');
  });

  it('hands what is no text to the model as JSON, and structured content where there is no other', async () => {
    const image = { type: 'image', data: 'AA==', mimeType: 'image/png' };
    const mixed = await play([round(), { text: 'x' }], {
      callTool: () => Promise.resolve({ content: [{ type: 'text', text: 'see' }, image] }),
    });
    expect(lastMessages(mixed.bodies).at(-1)?.['content']).toBe(`see\n${JSON.stringify(image)}`);
    const structured = await play([round(), { text: 'x' }], {
      callTool: () => Promise.resolve({ content: [], structuredContent: { a: 1 } }),
    });
    expect(lastMessages(structured.bodies).at(-1)?.['content']).toBe('{"a":1}');
  });

  it('hands a failure of the model to the caller, before the first event and after', async () => {
    const down = new GatewayError('upstream_unavailable', 'down');
    await expect(play([down])).rejects.toBe(down);
    await expect(play([round(), down])).rejects.toBe(down);
  });

  it('ends when the caller leaves while a tool runs', async () => {
    const leaving = new AbortController();
    const gone = new GatewayError('client_closed_request', 'The caller left.');
    const running = play([round(), { text: 'x' }], {
      signal: leaving.signal,
      callTool: (_tool, _input, signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(gone))),
    });
    setTimeout(() => leaving.abort(gone), 20);
    await expect(running).rejects.toBe(gone);
  });
});

describe('functions of the caller beside server-side tools', () => {
  const mine = { id: 'call_mine', name: 'mine', arguments: '{"q": 1}' };
  const user = { role: 'user', content: 'go' };
  /** What the caller was asked to do, as it sends that back with its result. */
  const back = (seen: readonly ChatEvent[], given = '{"q": 1}'): readonly JsonObject[] => {
    const { id } = ofType(seen, 'tool-call-start')[0] ?? { id: 'none' };
    return [
      user,
      { role: 'assistant', content: null, tool_calls: [{ id, type: 'function', function: { name: 'mine', arguments: given } }] },
      { role: 'tool', tool_call_id: id, content: 'my result' },
    ];
  };
  const roles = (messages: readonly JsonObject[]) => messages.map((message) => message['tool_call_id'] ?? message['role']);

  it('returns only its own calls, and restores what it did not see when their results come back', async () => {
    const { seen } = await play([{ calls: [{ id: 'a', name: 'demo__add' }, mine] }], { body: { tools: [clientFunction] } });
    expect(ofType(seen, 'tool-call-start').map((event) => event.name)).toEqual(['mine']);
    // Vendors' own ids come again in other conversations.
    expect(ofType(seen, 'tool-call-start')[0]?.id).toMatch(/^call_\w{1,35}$/);
    expect(ofType(seen, 'tool-call-start')[0]?.id).not.toBe('call_mine');
    expect(ofType(seen, 'finish')).toEqual([{ type: 'finish', choice: 0, reason: 'tool_calls' }]);
    const next = await play([{ text: 'x' }], { body: { tools: [clientFunction], messages: back(seen) } });
    expect(roles(lastMessages(next.bodies))).toEqual(['user', 'assistant', 'a', 'call_mine']);
    expect(lastMessages(next.bodies)[1]?.['tool_calls']).toHaveLength(2);
  });

  it('restores the rounds before, also where the last one has calls of the caller alone', async () => {
    const { seen } = await play([{ calls: [{ id: 'first', name: 'demo__look' }] }, { calls: [mine] }], {
      body: { tools: [clientFunction] },
    });
    expect(ofType(seen, 'finish')).toEqual([{ type: 'finish', choice: 0, reason: 'tool_calls' }]);
    const next = await play([{ text: 'x' }], { body: { tools: [clientFunction], messages: back(seen) } });
    expect(roles(lastMessages(next.bodies))).toEqual(['user', 'assistant', 'first', 'assistant', 'call_mine']);
  });

  it('restores with arguments that the client library wrote anew, but not for another call that has the same id', async () => {
    const { seen } = await play([{ calls: [{ id: 'a', name: 'demo__add' }, mine] }], { body: { tools: [clientFunction] } });
    const same = await play([{ text: 'x' }], { body: { messages: back(seen, '{"q":1}') } });
    expect(roles(lastMessages(same.bodies))).toContain('a');
    const other = await play([{ text: 'x' }], { body: { messages: back(seen, '{"q":2}') } });
    expect(roles(lastMessages(other.bodies))).not.toContain('a');
  });

  it('restores nothing for somebody else', async () => {
    const { seen } = await play([{ calls: [{ id: 'a', name: 'demo__add' }, mine] }], { body: { tools: [clientFunction] } });
    const next = await play([{ text: 'x' }], { body: { messages: back(seen) }, owner: person('another') });
    expect(roles(lastMessages(next.bodies))).toEqual(['user', 'assistant', ofType(seen, 'tool-call-start')[0]?.id]);
  });

  it('keeps two conversations apart, whose vendor counts its calls alike', async () => {
    const both = await Promise.all(
      ['one', 'two'].map((who, index) =>
        play([{ text: who, calls: [{ id: 'a', name: 'demo__add' }, mine] }], { run: `run-${index}`, body: { tools: [clientFunction] } }),
      ),
    );
    for (const [index, who] of ['one', 'two'].entries()) {
      const next = await play([{ text: 'x' }], { body: { messages: back(both[index]?.seen ?? []) } });
      expect(lastMessages(next.bodies)[1]).toMatchObject({ content: who, tool_calls: [{ id: 'a' }, { id: 'call_mine' }] });
    }
  });
});

describe('calls that a person has to agree to', () => {
  const pay = { id: 'p', name: 'demo__pay', arguments: '{"sum":7}' };
  const tools = [tool('pay', true), tool('look')];
  const asks = (seen: readonly ChatEvent[]) =>
    ofType(seen, 'step').flatMap(({ step }) => (step.status === 'approval_required' ? [step] : []));

  it('wait, beside others that run; go on after a yes, with what was shown; the same yes again goes on from there, and never runs it twice', async () => {
    const first = await play([{ text: 'May I? ', calls: [pay, { id: 'l', name: 'demo__look' }] }], { tools });
    expect(first.inputs).toEqual([{}]);
    const [asked] = asks(first.seen);
    expect(asked).toMatchObject({ capability: 'mcp/demo/pay', input: { sum: 7 } });
    expect(ofType(first.seen, 'finish')).toMatchObject([{ reason: 'stop' }]);
    const decisions = new Map([[asked?.id ?? '', true]]);
    const messages = [
      { role: 'user', content: 'go' },
      { role: 'assistant', content: 'May I? ' },
    ];
    const next = await play([{ text: 'Paid.' }], { tools, decisions, body: { messages } });
    expect(next.inputs).toEqual([{ sum: 7 }]);
    expect(lastMessages(next.bodies).map((message) => message['tool_call_id'] ?? message['role'])).toEqual(['user', 'assistant', 'l', 'p']);
    expect(lastMessages(next.bodies)[1]?.['tool_calls']).toHaveLength(2);
    const again = await play([{ text: 'x' }], { tools, decisions, body: { messages } });
    expect(again.inputs).toEqual([]);
    expect(lastMessages(again.bodies)).toEqual(lastMessages(next.bodies));
    const no = play([{ text: 'x' }], { tools, decisions: new Map([[asked?.id ?? '', false]]), body: { messages } });
    await expect(no).rejects.toMatchObject({ code: 'invalid_request', param: 'gateway.approvals[0].id' });
  });

  it('are not lost when the model fails behind them, nor forced again', async () => {
    const [asked] = asks((await play([{ calls: [pay] }], { tools, body: { tool_choice: 'required' } })).seen);
    const decisions = new Map([[asked?.id ?? '', true]]);
    const failed = play([new GatewayError('upstream_error', 'no')], { tools, decisions, body: { tool_choice: 'required' } });
    await expect(failed).rejects.toThrow('no');
    const again = await play([{ text: 'Paid.' }], { tools, decisions, body: { tool_choice: 'required' } });
    expect(again.inputs).toEqual([]);
    expect(lastMessages(again.bodies).at(-1)).toMatchObject({ tool_call_id: 'p', content: 'done' });
    expect(again.bodies[0]).not.toHaveProperty('tool_choice');
  });

  it('that were left in the middle are not carried out again, and the model is told', async () => {
    const [asked] = asks((await play([{ calls: [pay] }], { tools })).seen);
    const decisions = new Map([[asked?.id ?? '', true]]);
    const leaving = new AbortController();
    const gone = new GatewayError('client_closed_request', 'gone');
    const left = play([{ text: 'x' }], {
      tools,
      decisions,
      signal: leaving.signal,
      callTool: (_tool, _input, signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(gone))),
    });
    setTimeout(() => leaving.abort(gone), 20);
    await expect(left).rejects.toBe(gone);
    const again = await play([{ text: 'x' }], { tools, decisions });
    expect(again.inputs).toEqual([]);
    expect(lastMessages(again.bodies).at(-1)?.['content']).toContain('not known whether it took effect');
  });

  it('beyond what can be decided at once are not made, and the model is told', async () => {
    const calls = Array.from({ length: 70 }, (_, index) => ({ ...pay, id: `p${index}` }));
    const first = await play([{ calls }], { tools });
    const held = asks(first.seen);
    expect(held).toHaveLength(64);
    const next = await play([{ text: 'x' }], { tools, decisions: new Map(held.map(({ id }) => [id, true])) });
    expect(next.inputs).toHaveLength(64);
    const results = lastMessages(next.bodies).filter(({ role }) => role === 'tool');
    expect(results).toHaveLength(70);
    expect(results.filter(({ content }) => String(content).startsWith('Too many'))).toHaveLength(6);
  });

  it('do not run after a no, and the model is told', async () => {
    const [asked] = asks((await play([{ calls: [pay] }], { tools })).seen);
    const next = await play([{ text: 'As you wish.' }], { tools, decisions: new Map([[asked?.id ?? '', false]]) });
    expect(next.inputs).toEqual([]);
    expect(lastMessages(next.bodies).at(-1)).toMatchObject({ tool_call_id: 'p', content: 'The person did not allow this call.' });
  });

  it('are decided together, by whom they are for, with the tool still there', async () => {
    const two = [pay, { ...pay, id: 'q' }];
    const [one, other] = asks((await play([{ calls: two }], { tools })).seen);
    const decide = (ids: readonly (string | undefined)[], more: Partial<ToolLoopOptions> = {}) =>
      play([{ text: 'x' }], { tools, decisions: new Map(ids.map((id) => [id ?? '', true])), ...more });
    await expect(decide([one?.id])).rejects.toThrow('wait together');
    await expect(decide([one?.id, other?.id], { owner: person('another') })).rejects.toThrow('nothing waits');
    await expect(decide([one?.id, other?.id], { tools: [tool('look')] })).rejects.toThrow('name the tool mcp/demo/pay in tools again');
    // In whichever order they are named: one carries all out, whoever comes at the same time is told to wait.
    const racing = await Promise.allSettled(
      Array.from({ length: 6 }, (_, index) => decide(index % 2 === 0 ? [one?.id, other?.id] : [other?.id, one?.id])),
    );
    const ran = racing.flatMap((each) => (each.status === 'fulfilled' ? [each.value.inputs.length] : []));
    expect(ran.reduce((sum, count) => sum + count, 0)).toBe(2);
  });

  it('wait beside functions of the caller, whose results come with the decision', async () => {
    const mine = { id: 'call_m', name: 'mine', arguments: '{}' };
    const first = await play([{ calls: [pay, mine] }], { tools, body: { tools: [clientFunction] } });
    expect(ofType(first.seen, 'finish')).toMatchObject([{ reason: 'tool_calls' }]);
    const [asked] = asks(first.seen);
    const shown = ofType(first.seen, 'tool-call-start')[0]?.id ?? '';
    const messages = [
      { role: 'user', content: 'go' },
      { role: 'assistant', content: null, tool_calls: [{ id: shown, type: 'function', function: { name: 'mine', arguments: '{}' } }] },
      { role: 'tool', tool_call_id: shown, content: 'my result' },
    ];
    const next = await play([{ text: 'x' }], { tools, decisions: new Map([[asked?.id ?? '', true]]), body: { messages } });
    expect(lastMessages(next.bodies).map((message) => message['tool_call_id'] ?? message['role'])).toEqual([
      'user',
      'assistant',
      'p',
      'call_m',
    ]);
    // What it came to stays in the conversation, though the caller never sees it.
    const later = [...messages, { role: 'assistant', content: 'Paid.' }, { role: 'user', content: 'and?' }];
    const third = await play([{ text: 'x' }], { tools, body: { messages: later } });
    expect(lastMessages(third.bodies)[1]?.['tool_calls']).toHaveLength(2);
    expect(lastMessages(third.bodies)[2]).toMatchObject({ tool_call_id: 'p', content: 'done' });
  });

  it('take the place of what a face told of the same rounds, if the client sends that back', async () => {
    const first = await play([{ text: 'May I? ', calls: [pay, { id: 'l', name: 'demo__look' }] }], { tools });
    const [asked] = asks(first.seen);
    const told = `mcp_${'0'.repeat(36)}`;
    const call = { id: told, type: 'function', function: { name: 'demo__look', arguments: '{}' } };
    const messages = [
      { role: 'user', content: 'go' },
      { role: 'assistant', content: 'May I? ', tool_calls: [call] },
      { role: 'tool', tool_call_id: told, content: 'done' },
    ];
    const next = await play([{ text: 'Paid.' }], { tools, decisions: new Map([[asked?.id ?? '', true]]), body: { messages } });
    expect(lastMessages(next.bodies).map((message) => message['tool_call_id'] ?? message['role'])).toEqual(['user', 'assistant', 'l', 'p']);
  });
});
