import { describe, expect, test } from 'vitest';
import { createMessageEmitter } from '../../../../src/models/client-formats/messages/emitter.ts';
import { decodeReasoning } from '../../../../src/models/client-formats/encoded-reasoning.ts';
import type { ChatEvent, FinishReason, Usage } from '../../../../src/types/chat.ts';
import { GatewayError } from '../../../../src/types/errors.ts';
import type { JsonObject } from '../../../../src/types/json.ts';
import { checkMessage, checkMessageStream, messageEvents } from '../../../contract/strict-messages.ts';
import { collectMessage } from '../collect.ts';

const options = { id: 'msg_1', model: 'a "model"', reasoning: true, mcpBlocks: false, estimatedInput: () => 9 };
const usage: Usage = { inputTokens: 10, outputTokens: 4, cachedInputTokens: 3, reasoningTokens: 1 };
const text = (said: string): ChatEvent => ({ type: 'text-delta', choice: 0, text: said });
const think = (said: string): ChatEvent => ({ type: 'reasoning-delta', choice: 0, text: said });
const thought = (detail: JsonObject): ChatEvent => ({ type: 'thought', choice: 0, detail });
const start = (call: number): ChatEvent => ({ type: 'tool-call-start', choice: 0, call, id: `t${call}`, name: `f${call}` });
const args = (call: number, said: string): ChatEvent => ({ type: 'tool-call-delta', choice: 0, call, arguments: said });
const vendor = (event: JsonObject): ChatEvent => ({ type: 'vendor', format: 'anthropic', choice: 0, event });
const finish = (reason: FinishReason, raw?: string, detail?: JsonObject): ChatEvent => ({
  type: 'finish',
  choice: 0,
  reason,
  ...(raw === undefined ? {} : { raw }),
  ...(detail === undefined ? {} : { detail }),
});
const end = (counted: Usage | null = usage): ChatEvent => ({ type: 'response-end', usage: counted });

async function* inBatches(events: readonly ChatEvent[]): AsyncGenerator<readonly ChatEvent[]> {
  for (const event of events) yield [event];
}

interface Written {
  readonly content: Record<string, unknown>[];
  readonly stop_reason: string;
  readonly stop_sequence: string | null;
  readonly usage: Record<string, unknown>;
  readonly pailou?: unknown;
}

/** Renders one answer streamed and whole, checks both, and expects the stream to add up to the whole message. */
async function written(events: readonly ChatEvent[], more: Partial<typeof options> = {}): Promise<Written> {
  const whole = JSON.parse(await collectMessage(inBatches(events), { ...options, ...more })) as Written;
  expect(checkMessage(whole)).toEqual([]);
  const emitter = createMessageEmitter({ ...options, ...more });
  const stream = events.map((event) => emitter.write([event])).join('');
  expect(checkMessageStream(stream)).toEqual([]);
  expect(createMessageEmitter({ ...options, ...more }).write(events)).toBe(stream);
  const blocks: Record<string, unknown>[] = [];
  for (const { name, data } of messageEvents(stream)) {
    if (name === 'content_block_start') blocks.push({ ...data.content_block, json: '' });
    const block = blocks.at(-1);
    if (name === 'content_block_stop' && block !== undefined) {
      if (block['json'] !== '') block['input'] = JSON.parse(String(block['json']));
      delete block['json'];
    }
    if (name !== 'content_block_delta' || block === undefined) continue;
    const { delta } = data;
    if (delta.type === 'text_delta') block['text'] = String(block['text']) + delta.text;
    if (delta.type === 'thinking_delta') block['thinking'] = String(block['thinking']) + delta.thinking;
    if (delta.type === 'signature_delta') block['signature'] = delta.signature;
    if (delta.type === 'input_json_delta') block['json'] = String(block['json']) + delta.partial_json;
    if (delta.type === 'citations_delta') block['citations'] = [...((block['citations'] as unknown[]) ?? []), delta.citation];
  }
  expect(blocks).toEqual(whole.content);
  const last = messageEvents(stream).at(-2)?.data;
  expect(last.delta.stop_reason).toBe(whole.stop_reason);
  expect(last.usage).toEqual(whole.usage);
  return whole;
}

describe('the Messages emitter', () => {
  test('writes a text in one block', async () => {
    const answer = await written([{ type: 'response-start', id: 'v' }, text('你'), text('好 🐉'), finish('stop', 'stop'), end()]);
    expect(answer).toMatchObject({
      id: 'msg_1',
      model: 'a "model"',
      content: [{ type: 'text', text: '你好 🐉' }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage: { input_tokens: 7, cache_read_input_tokens: 3, output_tokens: 4, output_tokens_details: { thinking_tokens: 1 } },
    });
  });

  test('starts with the estimated input tokens and a ping', () => {
    const events = messageEvents(createMessageEmitter(options).write([text('a')]));
    expect(events.map(({ name }) => name)).toEqual(['message_start', 'ping', 'content_block_start', 'content_block_delta']);
    expect(events[0]?.data.message.usage.input_tokens).toBe(9);
  });

  test('keeps thinking, its signatures and redacted thinking in order', async () => {
    const answer = await written([
      think('h'),
      think('m'),
      thought({ type: 'reasoning.text', format: 'anthropic', text: 'hm', signature: 's1' }),
      thought({ type: 'reasoning.encrypted', format: 'anthropic', data: 'secret' }),
      think('more'),
      thought({ type: 'reasoning.text', format: 'anthropic', text: 'more', signature: 's2' }),
      text('Yes'),
      finish('stop', 'end_turn'),
      end(),
    ]);
    expect(answer.content).toEqual([
      { type: 'thinking', thinking: 'hm', signature: 's1' },
      { type: 'redacted_thinking', data: 'secret' },
      { type: 'thinking', thinking: 'more', signature: 's2' },
      { type: 'text', text: 'Yes' },
    ]);
  });

  test('closes unsigned thinking before the text, and renders only the first choice', async () => {
    const second: ChatEvent = { type: 'text-delta', choice: 1, text: 'other' };
    const answer = await written([think('hm'), second, text('Yes'), finish('stop'), end()]);
    expect(answer.content).toEqual([
      { type: 'thinking', thinking: 'hm', signature: '' },
      { type: 'text', text: 'Yes' },
    ]);
  });

  test('carries the reasoning of other vendors where the client returns it', async () => {
    const detail = { type: 'reasoning.encrypted', format: 'gemini', id: 't0', data: 'x' };
    const answer = await written([start(0), args(0, '{}'), thought(detail), finish('tool_calls'), end()]);
    expect(answer.content.map((block) => block['type'])).toEqual(['tool_use', 'redacted_thinking']);
    expect(decodeReasoning(String(answer.content[1]?.['data']))).toEqual(detail);
  });

  test('omits thinking for a caller who wants none, but keeps the signature', async () => {
    const events = [think('hm'), text('Yes'), finish('stop'), end()];
    expect((await written(events, { reasoning: false })).content).toEqual([{ type: 'text', text: 'Yes' }]);
    const signed = [think('hm'), thought({ type: 'reasoning.text', format: 'anthropic', text: 'hm', signature: 's' }), ...events.slice(1)];
    expect((await written(signed, { reasoning: false })).content[0]).toEqual({ type: 'thinking', thinking: '', signature: 's' });
  });

  test('writes one call after the other, although their deltas are interleaved', async () => {
    const answer = await written([
      text('Let me see.'),
      start(0),
      start(1),
      args(0, '{"a"'),
      args(1, '{"b"'),
      args(0, ':1}'),
      start(2),
      args(1, ':2}'),
      args(2, '{}'),
      finish('tool_calls'),
      end(),
    ]);
    expect(answer.content.slice(1)).toEqual([
      { type: 'tool_use', id: 't0', name: 'f0', input: { a: 1 } },
      { type: 'tool_use', id: 't1', name: 'f1', input: { b: 2 } },
      { type: 'tool_use', id: 't2', name: 'f2', input: {} },
    ]);
    expect(answer.stop_reason).toBe('tool_use');
  });

  test('streams the second call once the first is complete', () => {
    const emitter = createMessageEmitter(options);
    emitter.write([start(0), args(0, '{"a":1}'), start(1)]);
    expect(emitter.write([args(1, '{"b"')])).toContain('"partial_json":"{\\"b\\""');
  });

  test('holds text that arrives during a call', async () => {
    const answer = await written([start(0), args(0, '{"a"'), text('aside'), args(0, ':1}'), finish('tool_calls'), end()]);
    expect(answer.content).toEqual([
      { type: 'tool_use', id: 't0', name: 'f0', input: { a: 1 } },
      { type: 'text', text: 'aside' },
    ]);
    const after = await written([start(0), args(0, '{}'), text('after'), start(1), finish('tool_calls'), end()]);
    expect(after.content.map((block) => block['type'])).toEqual(['tool_use', 'text', 'tool_use']);
  });

  test('keeps invalid arguments of a model', async () => {
    const broken = [start(0), args(0, '{"a":'), finish('length'), end()];
    const answer = JSON.parse(await collectMessage(inBatches(broken), options)) as Written;
    expect(answer.content[0]?.['input']).toEqual({ arguments: '{"a":' });
    expect(answer.stop_reason).toBe('max_tokens');
  });

  test('keeps blocks and citations that only Anthropic has, under its own indexes', async () => {
    const search = { type: 'server_tool_use', id: 's1', name: 'web_search', input: {} };
    const found = { type: 'web_search_tool_result', tool_use_id: 's1', content: [{ type: 'web_search_result', url: 'u' }] };
    const citation = { type: 'web_search_result_location', url: 'u' };
    const answer = await written([
      text('I look.'),
      vendor({ type: 'content_block_start', index: 4, content_block: search }),
      vendor({ type: 'content_block_delta', index: 4, delta: { type: 'input_json_delta', partial_json: '{"query":"q"}' } }),
      vendor({ type: 'content_block_stop', index: 4 }),
      vendor({ type: 'content_block_start', index: 5, content_block: found }),
      vendor({ type: 'content_block_stop', index: 5 }),
      vendor({ type: 'content_block_delta', index: 6, delta: { type: 'citations_delta', citation } }),
      text('Found.'),
      { type: 'vendor', format: 'gemini', choice: 0, event: { type: 'content_block_start', index: 0, content_block: search } },
      finish('stop', 'pause_turn'),
      end(),
    ]);
    expect(answer.content).toEqual([
      { type: 'text', text: 'I look.' },
      { ...search, input: { query: 'q' } },
      found,
      { type: 'text', text: 'Found.', citations: [citation] },
    ]);
    expect(answer.stop_reason).toBe('pause_turn');
  });

  test.each<[FinishReason, string | undefined, string]>([
    ['stop', 'stop', 'end_turn'],
    ['stop', 'stop_sequence', 'stop_sequence'],
    ['length', 'length', 'max_tokens'],
    ['length', 'model_context_window_exceeded', 'model_context_window_exceeded'],
    ['content_filter', 'sensitive', 'refusal'],
    ['function_call', undefined, 'tool_use'],
    // Anthropic's stop reason, which contradicts the known finish reason.
    ['length', 'end_turn', 'max_tokens'],
  ])('ends %s (%s) with %s', async (reason, raw, word) => {
    expect((await written([text('a'), finish(reason, raw), end()])).stop_reason).toBe(word);
  });

  test('ends calls as tool_use whatever the vendor’s stop reason, and a textual refusal as a refusal', async () => {
    expect((await written([start(0), finish('stop', 'end_turn'), end()])).stop_reason).toBe('tool_use');
    const refused = await written([{ type: 'refusal-delta', choice: 0, text: 'No.' }, finish('stop', 'stop'), end()]);
    expect(refused).toMatchObject({ stop_reason: 'refusal', content: [{ type: 'text', text: 'No.' }] });
  });

  test("repeats Anthropic's own usage and stop fields", async () => {
    const own = { input_tokens: 5, cache_creation_input_tokens: 7, output_tokens: 2, service_tier: 'priority' };
    const counted: Usage = { inputTokens: 12, outputTokens: 2, vendor: { format: 'anthropic', usage: own } };
    const detail = { stop_sequence: 'END', container: { id: 'c' }, context_management: { applied_edits: [] } };
    const events = [text('a'), finish('stop', 'stop_sequence', detail), end(counted)];
    expect(await written(events)).toMatchObject({ ...detail, usage: own });
    expect(messageEvents(createMessageEmitter(options).write(events)).at(-2)?.data).toEqual({
      type: 'message_delta',
      delta: { stop_reason: 'stop_sequence', stop_sequence: 'END', container: { id: 'c' } },
      usage: own,
      context_management: { applied_edits: [] },
    });
  });

  test('keeps Anthropic’s additional fields of a call', async () => {
    const caller = { type: 'code_execution_20250825', tool_id: 'srv_1' };
    const begun = (id: string) =>
      vendor({ type: 'content_block_start', index: 0, content_block: { type: 'tool_use', id, name: 'f0', input: {}, caller } });
    const answer = await written([
      begun('t0'),
      start(0),
      args(0, '{"a"'),
      begun('t1'),
      start(1),
      args(0, ':1}'),
      finish('tool_calls'),
      end(),
    ]);
    expect(answer.content).toEqual([
      { type: 'tool_use', id: 't0', name: 'f0', input: { a: 1 }, caller },
      { type: 'tool_use', id: 't1', name: 'f1', input: {}, caller },
    ]);
  });

  test('marks an estimate and reports the steps of the tool loop', async () => {
    const step = { id: '1.1', kind: 'mcp', capability: 'mcp/a/b', status: 'completed' } as const;
    const answer = await written([
      { type: 'step', step },
      text('a'),
      finish('stop'),
      end({ inputTokens: 1, outputTokens: 1, estimated: true }),
    ]);
    expect(answer.usage['estimated']).toBe(true);
    expect(answer.pailou).toEqual({ steps: [step] });
  });

  test('writes an empty answer', async () => {
    expect(await written([finish('content_filter', 'refusal'), end()])).toMatchObject({ content: [], stop_reason: 'refusal' });
  });

  test('never ends a failed answer as a complete one', async () => {
    const emitter = createMessageEmitter(options);
    emitter.write([text('a')]);
    const failure = new GatewayError('upstream_interrupted', 'cut', { details: { text: 'secret words' } });
    expect(emitter.error(failure, 'r1')).toBe(
      'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"cut","details":{"error_code":"upstream_interrupted"}},"request_id":"r1"}\n\n',
    );
    expect(emitter.write([finish('stop'), end()])).toBe('');
    await expect(collectMessage(inBatches([text('a'), finish('stop')]), options)).rejects.toMatchObject({ code: 'upstream_interrupted' });
    expect(() => createMessageEmitter(options).write([text('a'), end()])).toThrow(
      expect.objectContaining({ code: 'upstream_interrupted' }),
    );
  });
});
