import { describe, expect, test } from 'vitest';
import { anthropicChat } from '../../../../src/models/vendor-formats/anthropic/chat.ts';
import type { ChatEvent } from '../../../../src/types/chat.ts';
import { callsOf, collect, finishOf, textOf, thrownBy, usageOf } from '../decode-and-emit.ts';
import { collectMessage } from '../../client-formats/collect.ts';

type Data = Record<string, unknown>;

const whole = (body: unknown): ChatEvent[] => anthropicChat.decodeResponse(Buffer.from(JSON.stringify(body)));
const message = (content: readonly Data[], more: Data = {}): Data => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-x',
  content,
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 3, output_tokens: 4 },
  ...more,
});

/** The same answer rendered by the Messages client format. */
async function again(events: readonly ChatEvent[]): Promise<Data> {
  async function* batches(): AsyncGenerator<readonly ChatEvent[]> {
    yield events;
  }
  const options = { id: 'msg_2', model: 'public', reasoning: true, mcpBlocks: false, estimatedInput: () => 0 };
  return JSON.parse(await collectMessage(batches(), options)) as Data;
}

describe('a whole answer of Anthropic', () => {
  test('has text, thinking and calls', async () => {
    const events = whole(
      message(
        [
          { type: 'thinking', thinking: 'hm', signature: 'S' },
          { type: 'redacted_thinking', data: 'R' },
          { type: 'text', text: 'Look' },
          { type: 'tool_use', id: 't1', name: 'a', input: { x: 1 } },
          { type: 'tool_use', id: 't2', name: 'b', input: {} },
        ],
        { stop_reason: 'tool_use' },
      ),
    );
    expect(textOf(events)).toBe('Look');
    expect(textOf(events, 'reasoning-delta')).toBe('hm');
    expect(callsOf(events).map((call) => call.arguments)).toEqual(['{"x":1}', '']);
    expect(finishOf(events)).toBe('tool_calls');
    expect(usageOf(events)).toMatchObject({ inputTokens: 3, outputTokens: 4 });
    const { choices } = await collect(events);
    expect(choices[0]?.message).toMatchObject({
      content: 'Look',
      reasoning_content: 'hm',
      tool_calls: [{ function: { arguments: '{"x":1}' } }, { function: { arguments: '{}' } }],
    });
  });

  test('is unchanged in the client format of the same kind', async () => {
    const content = [
      { type: 'thinking', thinking: 'hm', signature: 'S' },
      { type: 'redacted_thinking', data: 'R' },
      { type: 'text', text: 'I look. ' },
      { type: 'server_tool_use', id: 's', name: 'web_search', input: { query: 'q' } },
      { type: 'web_search_tool_result', tool_use_id: 's', content: [{ type: 'web_search_result', url: 'https://a.example/' }] },
      { type: 'text', text: 'Plain. ' },
      { type: 'text', text: 'Cited.', citations: [{ type: 'web_search_result_location', url: 'https://a.example/', title: null }] },
      { type: 'tool_use', id: 't', name: 'f', input: { x: [1] } },
    ];
    const usage = { input_tokens: 3, cache_read_input_tokens: 2, output_tokens: 4, server_tool_use: { web_search_requests: 1 } };
    const given = message(content, { stop_reason: 'tool_use', usage });
    expect(await again(whole(given))).toEqual({ ...given, id: 'msg_2', model: 'public', container: null, stop_details: null });
  });

  test('keeps the stop sequence', async () => {
    const events = whole(message([{ type: 'text', text: 'x' }], { stop_reason: 'stop_sequence', stop_sequence: 'END' }));
    expect(await again(events)).toMatchObject({ stop_reason: 'stop_sequence', stop_sequence: 'END' });
    expect(finishOf(events)).toBe('stop');
  });

  test('may be empty', async () => {
    const { choices } = await collect(whole(message([], { stop_reason: 'refusal' })));
    expect(choices[0]?.finish_reason).toBe('content_filter');
  });

  test.each([
    [{ type: 'error', error: { type: 'overloaded_error', message: 'm' } }, 'upstream_unavailable'],
    [{ error: { type: 'rate_limit_error', message: 'm' } }, 'rate_limited'],
    [{ base_resp: { status_code: 1008, status_msg: 'insufficient balance' } }, 'upstream_error'],
    [{ id: 'x', usage: {} }, 'upstream_invalid_response'],
    [message([{ type: 'text', text: 'x' }], { stop_reason: null, usage: null }), 'upstream_interrupted'],
    [[], 'upstream_invalid_response'],
  ])('%j is %s', (body, code) => {
    expect(thrownBy(() => whole(body))).toMatchObject({ code });
  });

  test('implausible counts are dropped', () => {
    expect(usageOf(whole(message([], { usage: { input_tokens: 'many', output_tokens: -1 } })))).toBeNull();
    expect(usageOf(whole(message([], { usage: undefined })))).toBeNull();
  });
});
