/** Conversations with decisions: late ones, lost answers, failing storage, and rounds with the caller's own calls. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { ToolLoopOptions } from '../../../src/extensions/tool-loop/loop-options.ts';
import { runToolLoop } from '../../../src/extensions/tool-loop/loop.ts';
import type { ToolLoopStates } from '../../../src/types/tool-loop-state.ts';
import type { ChatBody, ChatEvent, ChatEvents } from '../../../src/types/chat.ts';
import type { Decision } from '../../../src/types/approval-decision.ts';
import { GatewayError } from '../../../src/types/errors.ts';
import type { JsonObject } from '../../../src/types/json.ts';
import { principal } from '../mcp/services.ts';
import { clientFunction, decided, lastMessages, ofType, play, text, theStates, tool, useStates } from './scripted-loop.ts';

useStates();

const pay = { id: 'p', name: 'demo__pay', arguments: '{"sum":7}' };
const mine = { id: 'm', name: 'mine', arguments: '{}' };
const tools = [tool('pay', true), tool('look')];
const go = { role: 'user', content: 'go' };
const says = (content: string): JsonObject => ({ role: 'assistant', content });
const user = (content: string): JsonObject => ({ role: 'user', content });
const asked = (seen: readonly ChatEvent[]): string[] =>
  ofType(seen, 'step').flatMap(({ step }) => (step.status === 'approval_required' ? [step.id] : []));
const yesTo = (seen: readonly ChatEvent[]) => decided(asked(seen));
/** The round as the caller sends it: its own calls and their results. */
const ownRound = (seen: readonly ChatEvent[]): JsonObject[] => {
  const ids = ofType(seen, 'tool-call-start').map(({ id }) => id);
  const calls = ids.map((id) => ({ id, type: 'function', function: { name: 'mine', arguments: '{}' } }));
  return [
    { role: 'assistant', content: null, tool_calls: calls },
    ...ids.map((id) => ({ role: 'tool', tool_call_id: id, content: 'my result' })),
  ];
};
const shape = (bodies: readonly ChatBody[]) =>
  lastMessages(bodies).map((message) => message['tool_call_id'] ?? message['content'] ?? message['role']);
const decide = (
  decisions: readonly Decision[],
  messages: readonly JsonObject[],
  more: Partial<ToolLoopOptions> = {},
  answer: object = { text: 'x' },
) => play([answer], { tools, decisions, body: { messages, tools: [clientFunction] }, ...more });

describe('an approved call', () => {
  it('beside calls of the caller stays in the conversation, whether a client format emitted it or not', async () => {
    const first = await play([{ calls: [pay, mine] }], { tools, body: { tools: [clientFunction] } });
    const round = [go, ...ownRound(first.seen)];
    const second = await decide(yesTo(first.seen), round, {}, { calls: [{ ...pay, id: 'q' }] });
    const clientItemId = asked(first.seen)[0]?.replace('apr_', 'mcp_') ?? '';
    const toldRound = [
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: clientItemId, type: 'function', function: { name: 'demo__pay', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: clientItemId, content: 'done' },
    ];
    for (const messages of [round, [...round, ...toldRound]]) {
      const third = await decide(yesTo(second.seen), messages);
      expect(shape(third.bodies)).toEqual(['go', 'assistant', 'p', 'm', 'assistant', 'q']);
    }
  });

  it('is emitted again on a retry, because the answer may be lost', async () => {
    const first = await play([{ calls: [pay] }], { tools });
    const steps = async () =>
      ofType((await decide(yesTo(first.seen), [go])).seen, 'step').map(({ step, call }) => [step.status, call?.approval, call?.output]);
    const [id] = asked(first.seen);
    const expected = [
      ['started', id, undefined],
      ['completed', id, 'done'],
    ];
    expect([await steps(), await steps()]).toEqual([expected, expected]);
  });

  it('is emitted again with its outcome, not as a success', async () => {
    const statuses = async (first: readonly ChatEvent[], more: Partial<ToolLoopOptions>) =>
      ofType((await decide(yesTo(first), [go], more)).seen, 'step').map(({ step }) => [step.status, step.error]);
    const failed = await play([{ calls: [pay] }], { tools });
    const broken = { callTool: () => Promise.reject(new GatewayError('tool_failed', 'no')) };
    const expected = [
      ['started', undefined],
      ['failed', 'tool_failed'],
    ];
    expect(await statuses(failed.seen, broken)).toEqual(expected);
    expect(await statuses(failed.seen, {})).toEqual(expected);
    const left = await play([{ calls: [pay] }], { tools });
    const leaving = AbortSignal.abort(new GatewayError('client_closed_request', 'gone'));
    await expect(statuses(left.seen, { ...broken, signal: leaving })).rejects.toThrow('no');
    expect(await statuses(left.seen, {})).toEqual([
      ['started', undefined],
      ['failed', 'interrupted'],
    ]);
  });

  it('stays at its position when text comes with the decision', async () => {
    const first = await play([{ text: 'May I? ', calls: [pay] }], { tools });
    const messages = [go, says('May I? '), user('and quickly')];
    const second = await decide(yesTo(first.seen), messages, {}, { text: 'More? ', calls: [{ ...pay, id: 'q' }] });
    expect(shape(second.bodies)).toEqual(['go', 'May I? ', 'p', 'and quickly']);
    const third = await decide(yesTo(second.seen), [...messages, says('More? ')], {}, { calls: [mine] });
    expect(shape(third.bodies)).toEqual(['go', 'May I? ', 'p', 'and quickly', 'More? ', 'q']);
    const fourth = await play([{ text: 'x' }], { tools, body: { messages: [...messages, says('More? '), ...ownRound(third.seen)] } });
    expect(shape(fourth.bodies)).toEqual(['go', 'May I? ', 'p', 'and quickly', 'More? ', 'q', 'assistant', 'm']);
  });

  it('is refused after the conversation continued without it, and runs nothing', async () => {
    const first = await play([{ calls: [pay] }], { tools });
    const late = decide(yesTo(first.seen), [go, user('well?'), says('No idea.')]);
    await expect(late).rejects.toThrow('has been answered since');
    const beside = await play([{ calls: [pay, mine] }], { tools, body: { tools: [clientFunction] } });
    await expect(decide(yesTo(beside.seen), [go, ...ownRound(beside.seen), says('Well.')])).rejects.toThrow('has been answered since');
    // Nothing was executed, so one more message allows it.
    expect((await decide(yesTo(first.seen), [go, user('well?'), says('No idea.'), user('then pay')])).inputs).toEqual([{ sum: 7 }]);
  });

  it('runs nothing when its round is not sent', async () => {
    const first = await play([{ calls: [pay, mine] }], { tools, body: { tools: [clientFunction] } });
    await expect(decide(yesTo(first.seen), [go])).rejects.toThrow('your own calls');
    expect((await decide(yesTo(first.seen), [go, ...ownRound(first.seen)])).inputs).toEqual([{ sum: 7 }]);
  });
});

it('a pending call is sent to no vendor without a result, even when its tool is no longer offered', async () => {
  const first = await play([{ calls: [pay, mine] }], { tools, body: { tools: [clientFunction] } });
  const next = await play([{ text: 'x' }], { tools: [tool('look')], body: { messages: [go, ...ownRound(first.seen)] } });
  expect(lastMessages(next.bodies)[1]?.['tool_calls']).toMatchObject([{ id: 'm' }]);
});

describe('failing storage', () => {
  const failing = (times: number): ToolLoopStates => {
    let left = times;
    const real = theStates();
    const keep: ToolLoopStates['keep'] = (owner, ids, state) =>
      'done' in state && left-- > 0 ? Promise.reject(new GatewayError('storage_unavailable', 'away')) : real.keep(owner, ids, state);
    return { keep, read: (owner, ids) => real.read(owner, ids), take: (owner, id) => real.take(owner, id) };
  };

  it('for a moment loses no result of a tool', async () => {
    const first = await play([{ calls: [pay] }], { tools });
    const next = await decide(yesTo(first.seen), [go], { states: failing(2) });
    expect(shape(next.bodies)).toEqual(['go', 'assistant', 'p']);
    expect(shape((await decide(yesTo(first.seen), [go])).bodies)).toEqual(['go', 'assistant', 'p']);
  });

  it('for long never runs a tool twice', async () => {
    const first = await play([{ calls: [pay] }], { tools });
    await expect(decide(yesTo(first.seen), [go], { states: failing(100) })).rejects.toThrow('away');
    await expect(decide(yesTo(first.seen), [go])).rejects.toThrow('is being executed');
  });
});

it('keeps the results of calls that ended before the caller left', async () => {
  const first = await play([{ calls: [pay, { ...pay, id: 'q', arguments: '{"sum":8}' }] }], { tools });
  const leaving = new AbortController();
  const gone = new GatewayError('client_closed_request', 'gone');
  const left = decide(yesTo(first.seen), [go], {
    signal: leaving.signal,
    callTool: (_tool, { sum }, { signal }) =>
      sum === 7
        ? Promise.resolve(text('paid, receipt 123'))
        : new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(gone));
            // By then the result of the other call, which takes no I/O, has arrived.
            setImmediate(() => leaving.abort(gone));
          }),
  });
  await expect(left).rejects.toBe(gone);
  const again = await decide(yesTo(first.seen), [go]);
  expect(
    lastMessages(again.bodies)
      .slice(-2)
      .map(({ content }) => content),
  ).toEqual(['paid, receipt 123', expect.stringContaining('not known whether it took effect')]);
});

it('a caller who leaves during approved calls cancels the model call too', async () => {
  const first = await play([{ calls: [pay] }], { tools });
  let ended = 0;
  async function* answer(): ChatEvents & AsyncGenerator {
    try {
      yield [{ type: 'text-delta', choice: 0, text: 'paid' }];
    } finally {
      ended++;
    }
  }
  const events = await runToolLoop({
    owner: principal,
    states: theStates(),
    run: randomUUID(),
    tools,
    decisions: yesTo(first.seen),
    signal: new AbortController().signal,
    request: { body: { model: 'm', messages: [go] } },
    callTool: () => Promise.resolve(text('paid')),
    callModel: () => Promise.resolve({ events: answer() }),
  });
  for await (const [event] of events) {
    expect(event).toMatchObject({ type: 'step', step: { status: 'started' } });
    break;
  }
  expect(ended).toBe(1);
});
