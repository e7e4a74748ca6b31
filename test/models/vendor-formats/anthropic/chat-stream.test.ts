import { describe, expect, test } from 'vitest';
import { anthropicChat } from '../../../../src/models/vendor-formats/anthropic/chat.ts';
import type { ChatEvent } from '../../../../src/types/chat.ts';
import { callsOf, collect, decode, decodeEveryCut, emit, finishOf, textOf, thrownBy, usageOf } from '../decode-and-emit.ts';
import { calls, close, type Data, delta, ending, frame, open, ping, says, started, stopped, thinks } from './samples.ts';

const read = (...events: readonly Data[]): ChatEvent[] => decode(anthropicChat, frame(...events));
const details = (events: readonly ChatEvent[]) => events.flatMap((event) => (event.type === 'thought' ? [event.detail] : []));
const vendorEvents = (events: readonly ChatEvent[]) => events.flatMap((event) => (event.type === 'vendor' ? [event.event] : []));
const annotations = (events: readonly ChatEvent[]) => events.flatMap((event) => (event.type === 'annotation' ? [event.annotation] : []));

describe('a stream of Anthropic', () => {
  test('gives the same events wherever its bytes are cut', () => {
    const events = decodeEveryCut(
      anthropicChat,
      frame(
        started(),
        ping,
        ...thinks(0, 'SIG', '想一', '想'),
        ...says(1, '你好', '，👩‍👩‍👧！'),
        ...calls(2, 'toolu_1', 'f', '{"城', '市":"北京🏯"}'),
        ending('tool_use'),
        stopped,
      ),
    );
    expect(textOf(events)).toBe('你好，👩‍👩‍👧！');
    expect(textOf(events, 'reasoning-delta')).toBe('想一想');
    expect(callsOf(events)).toEqual([{ id: 'toolu_1', name: 'f', arguments: '{"城市":"北京🏯"}' }]);
    expect(events[0]).toEqual({ type: 'response-start', id: 'msg_1', model: 'claude-x' });
    emit(events);
  });

  test('numbers tool calls separately from blocks, and writes empty arguments as an object', async () => {
    const events = read(
      started(),
      ...says(0, 'Let me see.'),
      ...calls(1, 'toolu_a', 'weather', '', '{"city":', '"Rome"}'),
      ...calls(2, 'toolu_b', 'now', ''),
      ending('tool_use'),
      stopped,
    );
    expect(events.flatMap((event) => (event.type === 'tool-call-start' ? [event.call] : []))).toEqual([0, 1]);
    expect(emit(events)).toContain('"index":1');
    const { choices } = await collect(events);
    expect(choices[0]?.message['tool_calls']).toEqual([
      { id: 'toolu_a', type: 'function', function: { name: 'weather', arguments: '{"city":"Rome"}' } },
      { id: 'toolu_b', type: 'function', function: { name: 'now', arguments: '{}' } },
    ]);
  });

  test('accepts complete arguments at the start', () => {
    const events = read(
      started(),
      open(0, { type: 'tool_use', id: 't', name: 'f', input: { x: 1 } }),
      close(0),
      ending('tool_use'),
      stopped,
    );
    expect(callsOf(events)[0]?.arguments).toBe('{"x":1}');
  });

  test('accepts arguments once that are complete at the start and repeated in deltas', () => {
    const whole = open(0, { type: 'tool_use', id: 't', name: 'f', input: { x: 1 } });
    const again = delta(0, { type: 'input_json_delta', partial_json: '{"x":1}' });
    expect(callsOf(read(started(), whole, again, close(0), ending('tool_use'), stopped))[0]?.arguments).toBe('{"x":1}');
  });

  test('gives calls without an id or with a duplicate id a new one', () => {
    const events = read(started(), ...calls(0, '', 'a'), ...calls(1, 'same', 'b'), ...calls(2, 'same', 'c'), ending('tool_use'), stopped);
    const ids = callsOf(events).map(({ id }) => id);
    expect(ids[1]).toBe('same');
    expect(new Set(ids).size).toBe(3);
    expect(ids[0]).toMatch(/^call_/);
  });

  test('refuses a call without a name, and arguments without a call', () => {
    expect(thrownBy(() => read(started(), ...calls(0, 'x', '')))).toMatchObject({ code: 'upstream_invalid_response' });
    expect(thrownBy(() => read(started(), delta(0, { type: 'input_json_delta', partial_json: '{' })))).toMatchObject({
      code: 'upstream_invalid_response',
    });
  });

  test('keeps signatures and redacted thinking in the form to send back', () => {
    const events = read(
      started(),
      ...thinks(0, 'S1', 'a', '', 'b'),
      open(1, { type: 'redacted_thinking', data: 'SECRET' }),
      close(1),
      // A model with hidden thinking.
      ...thinks(2, 'S2'),
      ...says(3, 'x'),
      ending('end_turn'),
      stopped,
    );
    expect(details(events)).toEqual([
      { type: 'reasoning.text', format: 'anthropic', text: 'ab', signature: 'S1' },
      { type: 'reasoning.encrypted', format: 'anthropic', data: 'SECRET' },
      { type: 'reasoning.text', format: 'anthropic', text: '', signature: 'S2' },
    ]);
    emit(events);
  });

  test('does not encode unsigned thinking', () => {
    const events = read(
      started(),
      open(0, { type: 'thinking', thinking: 'hm' }),
      delta(0, { type: 'thinking_delta', thinking: '!' }),
      close(0),
      ending('end_turn'),
      stopped,
    );
    expect(textOf(events, 'reasoning-delta')).toBe('hm!');
    expect(details(events)).toEqual([]);
  });
});

describe('usage of a stream of Anthropic', () => {
  test('has the last counts and never sums them', () => {
    const events = read(
      started({
        input_tokens: 43,
        cache_read_input_tokens: 100,
        cache_creation_input_tokens: 7,
        output_tokens: 1,
        service_tier: 'standard',
      }),
      ...says(0, 'pong'),
      ending(null, { output_tokens: 4 }),
      ending('end_turn', {
        input_tokens: 61,
        cache_read_input_tokens: null,
        output_tokens: 9,
        output_tokens_details: { thinking_tokens: 3 },
      }),
      stopped,
    );
    const usage = {
      input_tokens: 61,
      cache_read_input_tokens: 100,
      cache_creation_input_tokens: 7,
      output_tokens: 9,
      service_tier: 'standard',
      output_tokens_details: { thinking_tokens: 3 },
    };
    expect(usageOf(events)).toEqual({
      inputTokens: 168,
      outputTokens: 9,
      cachedInputTokens: 100,
      cacheWriteTokens: 7,
      reasoningTokens: 3,
      vendor: { format: 'anthropic', usage },
    });
    emit(events);
  });

  test('is null when the vendor reports none', () => {
    expect(usageOf(read(started({}), ...says(0, 'x'), ending('end_turn', {}), stopped))).toBeNull();
  });
});

describe('the end of a stream of Anthropic', () => {
  test.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['pause_turn', 'stop'],
    ['compaction', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['refusal', 'content_filter'],
  ])('%s is %s', (raw, reason) => {
    const events = read(started(), ...says(0, 'x'), ending(raw), stopped);
    expect(events.find((event) => event.type === 'finish')).toEqual({ type: 'finish', choice: 0, reason, raw });
    emit(events);
  });

  test('with a call is tool_calls, whatever the stop reason; without any it is not', () => {
    expect(finishOf(read(started(), ...calls(0, 't', 'f'), ending('end_turn'), stopped))).toBe('tool_calls');
    expect(finishOf(read(started(), ...says(0, 'x'), ending('tool_use'), stopped))).toBe('stop');
    expect(finishOf(read(started(), ...calls(0, 't', 'f', '{"a'), ending('max_tokens'), stopped))).toBe('length');
  });

  test('keeps additional fields', () => {
    const refusal = { type: 'refusal', category: 'cyber', explanation: 'No.' };
    const events = read(started(), ...says(0, 'x'), ending('stop_sequence', {}, { stop_sequence: 'END' }), stopped);
    expect(events.find((event) => event.type === 'finish')).toMatchObject({ detail: { stop_sequence: 'END' } });
    const refused = read(started(), ping, ending('refusal', {}, { stop_details: refusal }), stopped);
    expect(refused.find((event) => event.type === 'finish')).toMatchObject({ raw: 'refusal', detail: { stop_details: refusal } });
  });

  test('may come without any block', async () => {
    const events = read(started(), ping, ending('refusal'), stopped);
    emit(events);
    const { choices } = await collect(events);
    expect(choices[0]?.finish_reason).toBe('content_filter');
    expect(choices[0]?.message['content'] ?? '').toBe('');
  });

  test('needs either a stop reason or message_stop', () => {
    expect(finishOf(read(started(), ...says(0, 'x'), ending('end_turn')))).toBe('stop');
    expect(thrownBy(() => read(started(), ...says(0, 'x')))).toMatchObject({ code: 'upstream_interrupted' });
    expect(read(started(), ...says(0, 'x'), stopped).at(-2)).toMatchObject({ reason: 'stop', warning: expect.any(String) });
    expect(thrownBy(() => read())).toMatchObject({ code: 'upstream_invalid_response' });
  });

  test('for an unknown reason is an interruption', () => {
    expect(thrownBy(() => read(started(), ...says(0, 'x'), ending('bored'), stopped))).toMatchObject({ code: 'upstream_interrupted' });
  });

  test('is the end: nothing follows it, not even an end of another format', () => {
    const events = decode(
      anthropicChat,
      `${frame(started(), ...says(0, 'x'), ending('end_turn'))}data: [DONE]\n\n${frame(stopped, ...says(1, 'y'))}`,
    );
    expect(textOf(events)).toBe('x');
    expect(events.at(-1)?.type).toBe('response-end');
  });
});

describe('errors in a stream of Anthropic', () => {
  const error = (type: string, message = 'm'): Data => ({ type: 'error', error: { type, message } });
  test.each([
    ['overloaded_error', 'upstream_unavailable'],
    ['rate_limit_error', 'rate_limited'],
    ['authentication_error', 'upstream_authentication'],
    ['permission_error', 'upstream_authentication'],
    ['billing_error', 'upstream_quota_exhausted'],
    ['timeout_error', 'upstream_timeout'],
    ['api_error', 'upstream_error'],
    ['never_heard_of', 'upstream_error'],
  ])('%s is %s, at the start and in the middle', (type, code) => {
    expect(thrownBy(() => read(error(type)))).toMatchObject({ code });
    expect(thrownBy(() => read(started(), open(0, { type: 'text', text: 'a' }), error(type)))).toMatchObject({ code });
  });

  test('a second beginning of the same message changes nothing', () => {
    const events = read(started(), started(), ...says(0, 'x'), ending('end_turn'), stopped);
    expect(events.filter((event) => event.type === 'response-start')).toHaveLength(1);
    expect(textOf(events)).toBe('x');
    emit(events);
  });

  test('another message before any content replaces it', () => {
    const events = read(started(), started({ input_tokens: 20, output_tokens: 1 }, 'msg_2'), ...says(0, 'x'), ending('end_turn'), stopped);
    expect(textOf(events)).toBe('x');
    expect(usageOf(events)).toMatchObject({ inputTokens: 20 });
  });

  test('another message after content is a break, because sent content cannot be withdrawn', () => {
    const second = [started({}, 'msg_2'), ...says(0, 'x'), ending('end_turn'), stopped];
    const cut = [open(0, { type: 'tool_use', id: 't', name: 'f', input: {} }), delta(0, { type: 'input_json_delta', partial_json: '{"a' })];
    expect(thrownBy(() => read(started(), ...cut, ...second))).toMatchObject({ code: 'upstream_interrupted' });
  });

  test('a part that is not JSON is refused', () => {
    expect(thrownBy(() => decode(anthropicChat, 'data: {"type":\n\n'))).toMatchObject({ code: 'upstream_invalid_response' });
  });

  test('unknown events and deltas are ignored', () => {
    const events = read(
      started(),
      { type: 'weather' },
      open(0, { type: 'text', text: '' }),
      delta(0, { type: 'smell_delta' }),
      close(0),
      ending('end_turn'),
      stopped,
    );
    expect(finishOf(events)).toBe('stop');
  });
});

describe("Anthropic's own tools and citations", () => {
  const search = open(1, { type: 'server_tool_use', id: 'srv_1', name: 'web_search', input: {} });
  const query = delta(1, { type: 'input_json_delta', partial_json: '{"query":"x"}' });
  const found = open(2, { type: 'web_search_tool_result', tool_use_id: 'srv_1', content: [] });
  const citation = { type: 'web_search_result_location', url: 'https://a.example/', title: 'A', cited_text: 'c', encrypted_index: 'E' };

  test('are unchanged in the client format of the same kind, and are not calls of the caller', () => {
    const events = read(started(), ...says(0, 'a'), search, query, close(1), found, close(2), ...says(3, 'b'), ending('end_turn'), stopped);
    expect(vendorEvents(events)).toEqual([close(0), search, query, close(1), found, close(2), close(3)]);
    expect(callsOf(events)).toEqual([]);
    expect(textOf(events)).toBe('ab');
    emit(events);
  });

  test('become annotations where they have a URL', async () => {
    const cited = delta(1, { type: 'citations_delta', citation });
    const page = delta(1, { type: 'citations_delta', citation: { type: 'page_location', document_index: 0, cited_text: 'c' } });
    const events = read(
      started(),
      ...says(0, 'See: '),
      open(1, { type: 'text', text: '', citations: [] }),
      cited,
      page,
      delta(1, { type: 'text_delta', text: 'it is.' }),
      close(1),
      ending('end_turn'),
      stopped,
    );
    const annotation = { type: 'url_citation', url_citation: { start_index: 5, end_index: 11, url: 'https://a.example/', title: 'A' } };
    expect(annotations(events)).toEqual([annotation]);
    expect(vendorEvents(events)).toEqual([close(0), cited, page, close(1)]);
    emit(events);
    const { choices } = await collect(events);
    expect(choices[0]?.message['annotations']).toEqual([annotation]);
  });
});
