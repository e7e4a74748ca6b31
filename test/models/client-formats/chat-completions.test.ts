import { describe, expect, test } from 'vitest';
import { createChunkEmitter } from '../../../src/models/client-formats/chat-completions/emitter.ts';
import type { ChatEvent } from '../../../src/types/chat.ts';
import { GatewayError } from '../../../src/types/errors.ts';
import { checkCompletion, checkStream, streamChunks } from '../../contract/strict-chat.ts';
import { collectCompletion } from './collect.ts';

const options = { id: 'chatcmpl-1', created: 1, model: 'a "model"', reasoning: true };
const finish: ChatEvent = { type: 'finish', choice: 0, reason: 'stop' };
const end: ChatEvent = { type: 'response-end', usage: { inputTokens: 1, outputTokens: 2, estimated: true } };
const text = (said: string): ChatEvent => ({ type: 'text-delta', choice: 0, text: said });

async function* inBatches(events: readonly ChatEvent[]): AsyncGenerator<readonly ChatEvent[]> {
  for (const event of events) yield [event];
}

describe('the chunk emitter', () => {
  test('writes the same for single events and for batches', () => {
    const events: ChatEvent[] = [{ type: 'response-start', extra: { system_fingerprint: 'fp' } }, text('a\n"b"'), text('你'), finish, end];
    const whole = createChunkEmitter({ ...options, includeUsage: true });
    const single = createChunkEmitter({ ...options, includeUsage: true });
    expect(events.map((event) => single.write([event])).join('')).toBe(whole.write(events));
  });

  test('never ends a failed stream as a complete one', () => {
    const emitter = createChunkEmitter({ ...options, includeUsage: false });
    emitter.write([text('a')]);
    const last = emitter.error(new GatewayError('upstream_interrupted', 'cut', { details: { text: 'secret words' } }), 'r1');
    expect(last).toBe(
      'data: {"error":{"message":"cut","type":"server_error","param":null,"code":"upstream_interrupted"},"request_id":"r1"}\n\n',
    );
    expect(emitter.write([finish, end])).toBe('');
  });

  test('marks an estimate, except for a closed client, which gets only schema fields', () => {
    const events: ChatEvent[] = [
      { type: 'step', step: { id: 's', kind: 'mcp', capability: 'mcp/a/b', status: 'started' } },
      { type: 'reasoning-delta', choice: 0, text: 'hm' },
      text('a'),
      finish,
      end,
    ];
    const open = createChunkEmitter({ ...options, includeUsage: true }).write(events);
    expect(checkStream(open, { usage: true })).toEqual([]);
    expect(open).toContain('"estimated":true');
    expect(open).toContain('"reasoning_content":"hm"');
    expect(open).toContain('"pailou":{"step":{"id":"s"');
    const closed = createChunkEmitter({ ...options, reasoning: false, includeUsage: true }).write(events);
    expect(checkStream(closed, { usage: true })).toEqual([]);
    expect(closed).not.toMatch(/estimated|reasoning|pailou/);
  });

  test('numbers calls from 0 in the order in which they start, whatever their event indexes', () => {
    const start = (call: number): ChatEvent => ({ type: 'tool-call-start', choice: 0, call, id: `c${call}`, name: 'f' });
    const said = (call: number, words: string): ChatEvent => ({ type: 'tool-call-delta', choice: 0, call, arguments: words });
    const written = createChunkEmitter({ ...options, includeUsage: false }).write([
      start(4),
      start(2),
      said(2, '{"a":1}'),
      said(4, '{}'),
      said(9, 'lost'),
      finish,
      end,
    ]);
    expect(checkStream(written)).toEqual([]);
    expect(written).toContain('{"index":0,"id":"c4"');
    expect(written).toContain('{"index":1,"function":{"arguments":"{\\"a\\":1}"}}');
    expect(streamChunks(written).at(-1)?.choices[0]?.finish_reason).toBe('tool_calls');
  });

  test('writes nothing of a choice after its finish reason', () => {
    const written = createChunkEmitter({ ...options, includeUsage: false }).write([
      text('a'),
      finish,
      text('late'),
      finish,
      end,
      text('later'),
    ]);
    expect(checkStream(written)).toEqual([]);
    expect(written).not.toContain('late');
  });

  test('keeps id and model of the first model call when a tool loop calls again', () => {
    const written = createChunkEmitter({ ...options, includeUsage: false }).write([
      { type: 'response-start', id: 'v1', extra: { system_fingerprint: 'one' } },
      text('a'),
      { type: 'response-start', id: 'v2', extra: { system_fingerprint: 'two' } },
      text('b'),
      finish,
      end,
    ]);
    expect(checkStream(written)).toEqual([]);
    expect(written).not.toContain('two');
  });
});

test('text before a tool and text after it are two paragraphs', async () => {
  const step = (kind: 'mcp' | 'progress', status: 'started' | 'completed'): ChatEvent => ({
    type: 'step',
    step: { id: '1.1', kind, capability: 'mcp/a/b', status },
  });
  const silent = [step('mcp', 'started'), step('mcp', 'completed')];
  const events = [...silent, text('Let me '), text('see.'), ...silent, ...silent, text('It is'), step('progress', 'started'), text(' 4.')];
  for (const reasoning of [true, false]) {
    const streamed = createChunkEmitter({ ...options, reasoning, includeUsage: false }).write([...events, finish, end]);
    expect(checkStream(streamed)).toEqual([]);
    const words = streamChunks(streamed).map(({ choices }) => (choices[0]?.delta.content ?? '') as string);
    expect(words.join('')).toBe('Let me see.\n\nIt is 4.');
    const whole = await collectCompletion(inBatches([...events, finish, end]), { ...options, reasoning });
    expect(JSON.parse(whole)).toMatchObject({ choices: [{ message: { content: words.join('') } }] });
  }
});

describe('the collected answer', () => {
  test('omits inputs and outputs of tools, and reports the limit of the loop, streamed too', async () => {
    const events: ChatEvent[] = [
      {
        type: 'step',
        step: { id: 's', kind: 'mcp', capability: 'mcp/a/b', status: 'completed' },
        call: { arguments: '{"secret":1}', output: 'secret' },
      },
      text('x'),
      { type: 'finish', choice: 0, reason: 'length', raw: 'max_steps', limit: 'max_steps' },
      end,
    ];
    const whole = await collectCompletion(inBatches(events), options);
    const streamed = createChunkEmitter({ ...options, includeUsage: true }).write(events);
    for (const rendered of [whole, streamed]) {
      expect(rendered).not.toContain('secret');
      expect(rendered).toContain('"limit":"max_steps"');
      expect(rendered).toContain('"finish_reason":"length"');
    }
    expect(checkCompletion(JSON.parse(whole))).toEqual([]);
    expect(checkStream(streamed, { usage: true })).toEqual([]);
  });

  test('keeps the steps and drops them for a closed client', async () => {
    const events: ChatEvent[] = [
      { type: 'step', step: { id: 's', kind: 'skill', capability: 'skill/a', status: 'completed', duration_ms: 3 } },
      text('x'),
      finish,
      end,
    ];
    const open = JSON.parse(await collectCompletion(inBatches(events), options)) as Record<string, unknown>;
    expect(open['pailou']).toEqual({ steps: [{ id: 's', kind: 'skill', capability: 'skill/a', status: 'completed', duration_ms: 3 }] });
    expect(checkCompletion(open)).toEqual([]);
    const closed = await collectCompletion(inBatches(events), { ...options, reasoning: false });
    expect(closed).not.toMatch(/pailou|estimated/);
  });

  test('of an empty answer has empty content', async () => {
    const answer = JSON.parse(
      await collectCompletion(inBatches([{ type: 'finish', choice: 0, reason: 'content_filter' }, end]), options),
    ) as { choices: { message: unknown }[] };
    expect(answer.choices[0]?.message).toEqual({ role: 'assistant', content: '', refusal: null });
  });

  test('is refused when the events stop without an end', async () => {
    await expect(collectCompletion(inBatches([text('a'), finish]), options)).rejects.toMatchObject({ code: 'upstream_interrupted' });
    await expect(collectCompletion(inBatches([text('a'), end]), options)).rejects.toMatchObject({ code: 'upstream_interrupted' });
    await expect(collectCompletion(inBatches([end]), options)).rejects.toMatchObject({ code: 'upstream_interrupted' });
  });
});
