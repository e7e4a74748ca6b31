/** The tool loop against a scripted model: rounds, steps, mixed calls, limits and failures. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { ToolLoopStates } from '../../../src/types/tool-loop-state.ts';
import { GatewayError } from '../../../src/types/errors.ts';
import type { ChatEvent } from '../../../src/types/chat.ts';
import type { JsonObject } from '../../../src/types/json.ts';
import { type Answer, clientFunction, lastMessages, ofType, play, text, theStates, useStates } from './scripted-loop.ts';
import { person } from '../mcp/services.ts';

useStates();

describe('rounds', () => {
  it('runs the calls, returns their results to the model and emits one answer', async () => {
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

  it('omits text before a call from a JSON answer, and nothing of the answer itself', async () => {
    const calls = [{ id: 'a', name: 'demo__add' }];
    const body = { response_format: { type: 'json_object' } };
    const said = async (...texts: string[]) => {
      const script = texts.map((words, index) => ({ text: words, ...(index < texts.length - 1 ? { calls } : {}) }));
      const { seen, bodies } = await play(script, { body });
      return {
        text: ofType(seen, 'text-delta')
          .map((event) => event.text)
          .join(''),
        bodies,
      };
    };
    const { text: answer, bodies } = await said('Let me look. ', '{"sum": 4}');
    expect(answer).toBe('{"sum": 4}');
    expect(lastMessages(bodies)[1]).toMatchObject({ content: 'Let me look. ' });
    expect((await said(' [1]')).text).toBe(' [1]');
    expect((await said('I cannot say.')).text).toBe('I cannot say.');
  });

  it('runs the calls of one round at the same time, and each step has its own duration', async () => {
    const allBegun = Promise.withResolvers<void>();
    let begun = 0;
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
          if (++begun === 3) allBegun.resolve();
          await allBegun.promise;
          const name = capability.slice('mcp/demo/'.length);
          if (name === 'look') await sleep(50);
          return text(name);
        },
      },
    );
    expect(lastMessages(bodies).slice(2)).toEqual(
      ['look', 'add', 'look'].map((content, index) => ({ role: 'tool', tool_call_id: 'abc'[index], content })),
    );
    const ended = ofType(seen, 'step').filter(({ step }) => step.status !== 'started');
    expect(ended.map(({ step }) => step.capability)).toEqual(['mcp/demo/add', 'mcp/demo/look', 'mcp/demo/look']);
    const [add = NaN, look = NaN] = ended.map(({ step }) => step.duration_ms);
    expect(add).toBeLessThan(look);
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

  it('offers only allowed tools, and forces none twice', async () => {
    const names = [{ type: 'function', function: { name: 'demo__add' } }];
    const script = [{ calls: [{ id: 'a', name: 'demo__add' }] }, { text: 'x' }];
    for (const [given, next] of [
      [
        { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: names } },
        { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: names } },
      ],
      [
        { type: 'allowed_tools', mode: 'required', tools: names },
        { type: 'allowed_tools', mode: 'auto', tools: names },
      ],
      ['none', 'none'],
    ] as const) {
      const { bodies } = await play(script, { body: { tool_choice: given } });
      expect(bodies.map((body) => body['tool_choice'])).toEqual([given, next]);
    }
  });

  it('renames a tool whose name the caller already uses', async () => {
    const taken = { type: 'function', function: { name: 'demo__add' } };
    const { bodies } = await play([{ text: 'x' }], { body: { tools: [taken] } });
    const names = (bodies[0]?.tools ?? []).map((each) => (each['function'] as JsonObject)['name'] as string);
    expect(names[0]).toBe('demo__add');
    expect(new Set(names).size).toBe(3);
    for (const name of names) expect(name).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
  });

  it('offers both a skill and a tool with one name', async () => {
    const city = { name: 'skill__city', inputSchema: { type: 'object' }, requiresApproval: false };
    const tools = ['mcp/skill/city', 'skill/city'].map((capability) => ({ ...city, capability }));
    const taken = { type: 'function', function: { name: 'skill__city' } };
    for (const functions of [[], [taken]]) {
      const { bodies } = await play([{ text: 'x' }], { tools, body: { tools: functions } });
      const names = (bodies[0]?.tools ?? []).map((each) => (each['function'] as JsonObject)['name']);
      expect(new Set(names).size).toBe(2 + functions.length);
    }
  });

  it('refuses several choices, and functions of the former format, whose calls have no ids', async () => {
    await expect(play([{ text: 'x' }], { body: { n: 2 } })).rejects.toMatchObject({ code: 'invalid_request', param: 'n' });
    const functions = [{ name: 'mine', parameters: { type: 'object' } }];
    await expect(play([{ text: 'x' }], { body: { functions } })).rejects.toMatchObject({ code: 'invalid_request', param: 'functions' });
    await play([{ text: 'x' }], { body: { functions: [] } });
  });
});

describe('failures', () => {
  const round = (given?: string): Answer => ({
    calls: [{ id: 'a', name: 'demo__add', ...(given === undefined ? {} : { arguments: given }) }],
  });

  it.each(['[1]', '{"x":', '"text"'])('reports to the model that %s is not a JSON object', async (given) => {
    const { bodies, inputs, seen } = await play([round(given), { text: 'sorry' }]);
    expect(inputs).toEqual([]);
    expect(lastMessages(bodies).at(-1)?.['content']).toContain('not a JSON object');
    expect(ofType(seen, 'step').at(-1)?.step.status).toBe('failed');
  });

  it('reports a denial, a time limit and a failed tool to the model', async () => {
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

  it('reports an unknown tool to the model, even beside a call of the caller’s own', async () => {
    const strange = { id: 's', name: 'add' };
    const alone = await play([{ calls: [strange] }, { text: 'sorry' }]);
    expect(lastMessages(alone.bodies).at(-1)).toMatchObject({
      tool_call_id: 's',
      content: expect.stringMatching(/^There is no tool named "add"/),
    });
    expect(ofType(alone.seen, 'tool-call-start')).toEqual([]);
    expect(ofType(alone.seen, 'finish')).toEqual([{ type: 'finish', choice: 0, reason: 'stop' }]);
    const own = { id: 'm', name: 'mine' };
    const { seen } = await play([{ calls: [strange, own] }], { body: { tools: [clientFunction] } });
    expect(ofType(seen, 'tool-call-start').map(({ name }) => name)).toEqual(['mine']);
    const tools = [clientFunction, { type: 'web_search' }];
    expect(ofType((await play([{ calls: [strange] }], { body: { tools } })).seen, 'tool-call-start')).toHaveLength(1);
  });

  it('reports to the model when all results together are too large', async () => {
    const big = 'x'.repeat(9_000_000);
    const calls = Array.from({ length: 2 }, (_, index) => ({ id: `c${index}`, name: 'demo__add' }));
    const { bodies, seen } = await play([{ calls }, { calls }, { calls }, { text: 'enough' }], {
      callTool: () => Promise.resolve(text(big)),
    });
    const results = lastMessages(bodies).filter(({ role }) => role === 'tool');
    expect(results.map(({ content }) => content === big)).toEqual([true, true, true, false, false, false]);
    expect(results.at(-1)?.['content']).toMatch(/^The result is left out: .* Ask for less/);
    expect(ofType(seen, 'step').at(-1)?.step).toMatchObject({ status: 'failed', error: 'too much in all' });
  });

  it('describes binary content to the model without its bytes, and structured content where there is no other', async () => {
    const image = { type: 'image', data: 'AA==', mimeType: 'image/png' };
    const mixed = await play([round(), { text: 'x' }], {
      callTool: () => Promise.resolve({ content: [{ type: 'text', text: 'see' }, image] }),
    });
    expect(lastMessages(mixed.bodies).at(-1)?.['content']).toBe('see\n[image image/png, 3 bytes: it cannot be shown here]');
    const structured = await play([round(), { text: 'x' }], {
      callTool: () => Promise.resolve({ content: [], structuredContent: { a: 1 } }),
    });
    expect(lastMessages(structured.bodies).at(-1)?.['content']).toBe('{"a":1}');
  });

  it('forwards a failure of the model to the caller, before the first event and after', async () => {
    const down = new GatewayError('upstream_unavailable', 'down');
    await expect(play([down])).rejects.toBe(down);
    await expect(play([round(), down])).rejects.toBe(down);
  });

  it('ends when the caller disconnects while a tool runs', async () => {
    const leaving = new AbortController();
    const gone = new GatewayError('client_closed_request', 'The caller left.');
    const running = play([round(), { text: 'x' }], {
      signal: leaving.signal,
      callTool: (_tool, _input, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(gone));
          setImmediate(() => leaving.abort(gone));
        }),
    });
    await expect(running).rejects.toBe(gone);
  });
});

describe('functions of the caller beside server-side tools', () => {
  const mine = { id: 'call_mine', name: 'mine', arguments: '{"q": 1}' };
  const user = { role: 'user', content: 'go' };
  /** The caller's calls as it sends them back, with a result. */
  const back = (seen: readonly ChatEvent[], given = '{"q": 1}'): readonly JsonObject[] => {
    const { id } = ofType(seen, 'tool-call-start')[0] ?? { id: 'none' };
    return [
      user,
      { role: 'assistant', content: null, tool_calls: [{ id, type: 'function', function: { name: 'mine', arguments: given } }] },
      { role: 'tool', tool_call_id: id, content: 'my result' },
    ];
  };
  const roles = (messages: readonly JsonObject[]) => messages.map((message) => message['tool_call_id'] ?? message['role']);

  it('returns only its own calls, and restores server rounds when their results come back', async () => {
    const { seen } = await play([{ calls: [{ id: 'a', name: 'demo__add' }, mine] }], { body: { tools: [clientFunction] } });
    expect(ofType(seen, 'tool-call-start').map((event) => event.name)).toEqual(['mine']);
    // Ids of vendors repeat in other conversations.
    expect(ofType(seen, 'tool-call-start')[0]?.id).toMatch(/^call_\w{1,35}$/);
    expect(ofType(seen, 'tool-call-start')[0]?.id).not.toBe('call_mine');
    expect(ofType(seen, 'finish')).toEqual([{ type: 'finish', choice: 0, reason: 'tool_calls' }]);
    const next = await play([{ text: 'x' }], { body: { tools: [clientFunction], messages: back(seen) } });
    expect(roles(lastMessages(next.bodies))).toEqual(['user', 'assistant', 'a', 'call_mine']);
    expect(lastMessages(next.bodies)[1]?.['tool_calls']).toHaveLength(2);
  });

  it('restores earlier rounds even when the last one has only calls of the caller', async () => {
    const { seen } = await play([{ calls: [{ id: 'first', name: 'demo__look' }] }, { calls: [mine] }], {
      body: { tools: [clientFunction] },
    });
    expect(ofType(seen, 'finish')).toEqual([{ type: 'finish', choice: 0, reason: 'tool_calls' }]);
    const next = await play([{ text: 'x' }], { body: { tools: [clientFunction], messages: back(seen) } });
    expect(roles(lastMessages(next.bodies))).toEqual(['user', 'assistant', 'first', 'assistant', 'call_mine']);
  });

  it('stores server rounds once, however many calls are beside them', async () => {
    const kept: string[] = [];
    const states: ToolLoopStates = { ...theStates(), keep: async (_owner, ids) => void kept.push(...ids) };
    const calls = Array.from({ length: 100 }, (_, index) => ({ id: `m${index}`, name: 'mine' }));
    await play([{ calls }], { states, body: { tools: [clientFunction] } });
    expect(kept).toHaveLength(1);
  });

  it('restores when the client library rewrote the arguments, but not for another call with the same id', async () => {
    const { seen } = await play([{ calls: [{ id: 'a', name: 'demo__add' }, mine] }], { body: { tools: [clientFunction] } });
    const same = await play([{ text: 'x' }], { body: { messages: back(seen, '{"q":1}') } });
    expect(roles(lastMessages(same.bodies))).toContain('a');
    const other = await play([{ text: 'x' }], { body: { messages: back(seen, '{"q":2}') } });
    expect(roles(lastMessages(other.bodies))).not.toContain('a');
  });

  it('restores nothing for another caller', async () => {
    const { seen } = await play([{ calls: [{ id: 'a', name: 'demo__add' }, mine] }], { body: { tools: [clientFunction] } });
    const next = await play([{ text: 'x' }], { body: { messages: back(seen) }, owner: person('another') });
    expect(roles(lastMessages(next.bodies))).toEqual(['user', 'assistant', ofType(seen, 'tool-call-start')[0]?.id]);
  });

  it('separates two conversations whose vendor uses equal call ids', async () => {
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
