/** Tool calls that wait for approval: decided together, executed once, whatever fails or is repeated. */
import { describe, expect, it } from 'vitest';
import type { ToolLoopOptions } from '../../../src/extensions/tool-loop/loop-options.ts';
import type { ToolLoopStates } from '../../../src/types/tool-loop-state.ts';
import type { ChatEvent } from '../../../src/types/chat.ts';
import { GatewayError } from '../../../src/types/errors.ts';
import { clientFunction, decided, lastMessages, ofType, play, theStates, tool, useStates } from './scripted-loop.ts';
import { person } from '../mcp/services.ts';

useStates();

describe('calls that need approval', () => {
  const pay = { id: 'p', name: 'demo__pay', arguments: '{"sum":7}' };
  const tools = [tool('pay', true), tool('look')];
  const asks = (seen: readonly ChatEvent[]) =>
    ofType(seen, 'step').flatMap(({ step }) => (step.status === 'approval_required' ? [step] : []));

  it('wait beside others that run, continue after an approval, and continue again without a second execution', async () => {
    const first = await play([{ text: 'May I? ', calls: [pay, { id: 'l', name: 'demo__look' }] }], { tools });
    expect(first.inputs).toEqual([{}]);
    const [asked] = asks(first.seen);
    expect(asked).toMatchObject({ capability: 'mcp/demo/pay', input: { sum: 7 } });
    expect(ofType(first.seen, 'finish')).toMatchObject([{ reason: 'stop' }]);
    const decisions = decided([asked?.id]);
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
    const no = play([{ text: 'x' }], { tools, decisions: decided([asked?.id], false), body: { messages } });
    await expect(no).rejects.toMatchObject({ code: 'invalid_request', param: 'gateway.approvals[0].id' });
  });

  it('are not lost when the model fails after them, nor forced again', async () => {
    const [asked] = asks((await play([{ calls: [pay] }], { tools, body: { tool_choice: 'required' } })).seen);
    const decisions = decided([asked?.id]);
    const failed = play([new GatewayError('upstream_error', 'no')], { tools, decisions, body: { tool_choice: 'required' } });
    await expect(failed).rejects.toThrow('no');
    const again = await play([{ text: 'Paid.' }], { tools, decisions, body: { tool_choice: 'required' } });
    expect(again.inputs).toEqual([]);
    expect(lastMessages(again.bodies).at(-1)).toMatchObject({ tool_call_id: 'p', content: 'done' });
    expect(again.bodies[0]).not.toHaveProperty('tool_choice');
  });

  it('that were interrupted are not executed again, and the model gets a note', async () => {
    const [asked] = asks((await play([{ calls: [pay] }], { tools })).seen);
    const decisions = decided([asked?.id]);
    const leaving = new AbortController();
    const gone = new GatewayError('client_closed_request', 'gone');
    const left = play([{ text: 'x' }], {
      tools,
      decisions,
      signal: leaving.signal,
      callTool: (_tool, _input, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(gone));
          setImmediate(() => leaving.abort(gone));
        }),
    });
    await expect(left).rejects.toBe(gone);
    const again = await play([{ text: 'x' }], { tools, decisions });
    expect(again.inputs).toEqual([]);
    expect(lastMessages(again.bodies).at(-1)?.['content']).toContain('not known whether it took effect');
  });

  it('beyond the limit of open approvals are not made, and the model gets a note', async () => {
    const calls = Array.from({ length: 70 }, (_, index) => ({ ...pay, id: `p${index}` }));
    const first = await play([{ calls }], { tools });
    const held = asks(first.seen);
    expect(held).toHaveLength(64);
    const next = await play([{ text: 'x' }], { tools, decisions: decided(held.map(({ id }) => id)) });
    expect(next.inputs).toHaveLength(64);
    const results = lastMessages(next.bodies).filter(({ role }) => role === 'tool');
    expect(results).toHaveLength(70);
    expect(results.filter(({ content }) => JSON.stringify(content).startsWith('"Too many'))).toHaveLength(6);
  });

  it('do not run after a denial, and the model gets a note', async () => {
    const [asked] = asks((await play([{ calls: [pay] }], { tools })).seen);
    const next = await play([{ text: 'As you wish.' }], { tools, decisions: decided([asked?.id], false) });
    expect(next.inputs).toEqual([]);
    expect(lastMessages(next.bodies).at(-1)).toMatchObject({ tool_call_id: 'p', content: 'The person did not allow this call.' });
  });

  it('are decided together, by their own caller, with the tool still offered', async () => {
    const two = [pay, { ...pay, id: 'q' }];
    const [one, other] = asks((await play([{ calls: two }], { tools })).seen);
    const decide = (ids: readonly (string | undefined)[], more: Partial<ToolLoopOptions> = {}) =>
      play([{ text: 'x' }], { tools, decisions: decided(ids), ...more });
    await expect(decide([one?.id])).rejects.toThrow('decided together');
    await expect(decide([one?.id, other?.id], { owner: person('another') })).rejects.toThrow('no call waits');
    await expect(decide([one?.id, other?.id], { tools: [tool('look')] })).rejects.toThrow('name the tool mcp/demo/pay in tools again');
    // In any order of ids, one request executes all calls, and a concurrent one gets an error.
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
    const next = await play([{ text: 'x' }], { tools, decisions: decided([asked?.id]), body: { messages } });
    expect(lastMessages(next.bodies).map((message) => message['tool_call_id'] ?? message['role'])).toEqual([
      'user',
      'assistant',
      'p',
      'call_m',
    ]);
    // The result stays in the conversation, although the caller never sees it.
    const later = [...messages, { role: 'assistant', content: 'Paid.' }, { role: 'user', content: 'and?' }];
    const third = await play([{ text: 'x' }], { tools, body: { messages: later } });
    expect(lastMessages(third.bodies)[1]?.['tool_calls']).toHaveLength(2);
    expect(lastMessages(third.bodies)[2]).toMatchObject({ tool_call_id: 'p', content: 'done' });
  });

  it('replace the rounds that a client format emitted, if the client sends those back', async () => {
    const first = await play([{ text: 'May I? ', calls: [pay, { id: 'l', name: 'demo__look' }] }], { tools });
    const [asked] = asks(first.seen);
    const clientItemId = `mcp_${'0'.repeat(36)}`;
    const call = { id: clientItemId, type: 'function', function: { name: 'demo__look', arguments: '{}' } };
    const messages = [
      { role: 'user', content: 'go' },
      { role: 'assistant', content: 'May I? ', tool_calls: [call] },
      { role: 'tool', tool_call_id: clientItemId, content: 'done' },
    ];
    const next = await play([{ text: 'Paid.' }], { tools, decisions: decided([asked?.id]), body: { messages } });
    expect(lastMessages(next.bodies).map((message) => message['tool_call_id'] ?? message['role'])).toEqual(['user', 'assistant', 'l', 'p']);
  });

  it('are stored in the format that nodes of an older version read, during an upgrade', async () => {
    const kept: object[] = [];
    const states: ToolLoopStates = {
      keep: (owner, ids, state) => {
        kept.push(state);
        return theStates().keep(owner, ids, state);
      },
      read: (owner, ids) => theStates().read(owner, ids),
      take: (owner, id) => theStates().take(owner, id),
    };
    const fields = () => kept.splice(0).map((state) => Object.keys(state).toSorted());
    const group = ['at', 'calls', 'covers', 'hidden', 'swallowed'];
    const first = await play([{ calls: [pay] }], { tools, states });
    expect(fields()).toEqual([group, ['group']]);
    await play([{ text: 'x' }], { tools, states, decisions: decided(asks(first.seen).map(({ id }) => id)) });
    expect(fields()).toEqual([
      [...group, 'taken'],
      ['at', 'calls', 'covers', 'done', 'hidden', 'swallowed'],
    ]);
    await play([{ calls: [{ id: 'm', name: 'mine' }] }], { tools, states, body: { tools: [clientFunction] } });
    expect(fields()).toEqual([['covers', 'fingerprint', 'ids', 'messages', 'swallowed', 'waits']]);
  });
});
