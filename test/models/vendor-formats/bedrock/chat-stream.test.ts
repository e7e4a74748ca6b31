import { describe, expect, test } from 'vitest';
import { bedrockChat } from '../../../../src/models/vendor-formats/bedrock/chat.ts';
import type { ChatEvent } from '../../../../src/types/chat.ts';
import { callsOf, collect, emit, finishOf, textOf, thrownBy, usageOf } from '../decode-and-emit.ts';
import {
  bareEvent,
  calls,
  close,
  type Data,
  delta,
  errorFrame,
  event,
  exception,
  metadata,
  says,
  started,
  stopped,
  thinks,
} from './samples.ts';

function decode(bytes: Buffer, size = bytes.length): ChatEvent[] {
  const decoder = bedrockChat.decoder();
  const events: ChatEvent[] = [];
  for (let at = 0; at < bytes.length; at += size) events.push(...decoder.push(bytes.subarray(at, at + size)));
  events.push(...decoder.end());
  return events;
}
const read = (...frames: readonly Buffer[]): ChatEvent[] => decode(Buffer.concat(frames));
const details = (events: readonly ChatEvent[]) => events.flatMap((each) => (each.type === 'thought' ? [each.detail] : []));

const whole = Buffer.concat([
  started,
  thinks(0, 'SIG', '想一', '想'),
  says(1, '你好', '，👩‍👩‍👧！'),
  calls(2, 'tooluse_1', 'f', '{"城', '市":"北京🏯"}'),
  stopped('tool_use'),
  metadata(),
]);

describe('a stream of Bedrock', () => {
  test('gives the same events wherever its bytes are cut', () => {
    const events = decode(whole);
    for (let cut = 1; cut < whole.length; cut++) {
      const decoder = bedrockChat.decoder();
      expect([...decoder.push(whole.subarray(0, cut)), ...decoder.push(whole.subarray(cut)), ...decoder.end()]).toEqual(events);
    }
    expect(decode(whole, 1)).toEqual(events);
    expect(decode(whole, 7)).toEqual(events);
    expect(textOf(events)).toBe('你好，👩‍👩‍👧！');
    expect(textOf(events, 'reasoning-delta')).toBe('想一想');
    expect(callsOf(events)).toEqual([{ id: 'tooluse_1', name: 'f', arguments: '{"城市":"北京🏯"}' }]);
    emit(events);
  });

  test('numbers tool calls separately from blocks, and writes empty arguments as an object', async () => {
    const events = read(started, says(0, 'a'), calls(1, 't1', 'now', ''), calls(2, 't2', 'f', '{"x":1}'), stopped('tool_use'), metadata());
    expect(events.flatMap((each) => (each.type === 'tool-call-start' ? [each.call] : []))).toEqual([0, 1]);
    emit(events);
    const { choices } = await collect(events);
    expect(choices[0]?.message['tool_calls']).toMatchObject([{ function: { arguments: '{}' } }, { function: { arguments: '{"x":1}' } }]);
  });

  test('gives duplicate call ids a new one', () => {
    const ids = callsOf(read(started, calls(0, 't', 'f'), calls(1, 't', 'f'), stopped('tool_use'), metadata())).map(({ id }) => id);
    expect(ids[0]).toBe('t');
    expect(ids[1]).toMatch(/^call_/);
  });

  test('keeps signatures and redacted reasoning in the form to send back', () => {
    const redacted = delta(1, { reasoningContent: { redactedContent: 'UkVE' } });
    const events = read(started, thinks(0, 'S', 'a', 'b'), redacted, close(1), says(2, 'x'), stopped('end_turn'), metadata());
    expect(details(events)).toEqual([
      { type: 'reasoning.text', format: 'bedrock', text: 'ab', signature: 'S' },
      { type: 'reasoning.encrypted', format: 'bedrock', data: 'UkVE' },
    ]);
    emit(events);
  });

  test('needs neither closed blocks nor headers beyond the type', () => {
    const events = read(
      bareEvent('messageStart', { role: 'assistant' }),
      bareEvent('contentBlockDelta', { contentBlockIndex: 0, delta: { reasoningContent: { text: 'hm' } } }),
      bareEvent('contentBlockDelta', { contentBlockIndex: 0, delta: { reasoningContent: { signature: 'S' } } }),
      bareEvent('contentBlockDelta', { contentBlockIndex: 1, delta: { text: 'x' } }),
      bareEvent('messageStop', { stopReason: 'end_turn' }),
      bareEvent('metadata', { usage: { inputTokens: 1, outputTokens: 2 } }),
    );
    expect(events.map(({ type }) => type)).toEqual([
      'response-start',
      'reasoning-delta',
      'thought',
      'text-delta',
      'finish',
      'response-end',
    ]);
    emit(events);
  });

  test('hides the calls that Bedrock runs itself from the caller', () => {
    const own = event('contentBlockStart', {
      contentBlockIndex: 0,
      start: { toolUse: { toolUseId: 's', name: 'nova_grounding', type: 'server_tool_use' } },
    });
    const events = read(started, own, delta(0, { toolUse: { input: '{"q":1}' } }), close(0), says(1, 'x'), stopped('end_turn'), metadata());
    expect(callsOf(events)).toEqual([]);
    expect(finishOf(events)).toBe('stop');
  });

  test('turns citations with a URL into annotations', () => {
    const citation = { title: 'A', location: { web: { url: 'https://a.example/', domain: 'a.example' } } };
    const page = { title: 'B', location: { documentPage: { documentIndex: 0, start: 1, end: 2 } } };
    const events = read(
      started,
      says(0, 'See: '),
      delta(1, { text: 'it is.' }),
      delta(1, { citation }),
      delta(1, { citation: page }),
      close(1),
      stopped('end_turn'),
      metadata(),
    );
    expect(events.flatMap((each) => (each.type === 'annotation' ? [each.annotation] : []))).toEqual([
      { type: 'url_citation', url_citation: { start_index: 5, end_index: 11, url: 'https://a.example/', title: 'A' } },
    ]);
    emit(events);
  });
});

describe('usage of a stream of Bedrock', () => {
  test('comes before the end or after it', () => {
    const counted = { inputTokens: 3, outputTokens: 4, totalTokens: 17, cacheReadInputTokens: 8, cacheWriteInputTokens: 2 };
    const wanted = {
      inputTokens: 13,
      outputTokens: 4,
      cachedInputTokens: 8,
      cacheWriteTokens: 2,
      vendor: { format: 'bedrock', usage: counted },
    };
    const after = read(started, says(0, 'x'), stopped('end_turn'), metadata(counted));
    const before = read(started, says(0, 'x'), metadata(counted), stopped('end_turn'));
    expect(usageOf(after)).toEqual(wanted);
    expect(before).toEqual(after);
    emit(before);
  });

  test('may be missing, or be cut off', () => {
    expect(usageOf(read(started, says(0, 'x'), stopped('end_turn')))).toBeNull();
    expect(usageOf(read(started, says(0, 'x'), stopped('end_turn'), metadata().subarray(0, 40)))).toBeNull();
  });

  test('ends the answer immediately, without waiting for the connection to close', () => {
    for (const ends of [
      [stopped('end_turn'), metadata()],
      [metadata(), stopped('end_turn')],
    ]) {
      const decoder = bedrockChat.decoder();
      const events = decoder.push(Buffer.concat([started, says(0, 'x'), ...ends]));
      expect(events.at(-1)?.type).toBe('response-end');
      expect(decoder.push(says(1, 'y'))).toEqual([]);
      expect(decoder.end()).toEqual([]);
    }
  });
});

describe('the end of a stream of Bedrock', () => {
  test.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['guardrail_intervened', 'content_filter'],
    ['content_filtered', 'content_filter'],
  ])('%s is %s', (raw, reason) => {
    const events = read(started, says(0, 'x'), stopped(raw), metadata());
    expect(events.find((each) => each.type === 'finish')).toEqual({ type: 'finish', choice: 0, reason, raw });
    emit(events);
  });

  test.each([
    ['malformed_model_output', 'upstream_error'],
    ['malformed_tool_use', 'upstream_error'],
    ['bored', 'upstream_interrupted'],
  ])('%s is no end but %s', (raw, code) => {
    expect(thrownBy(() => read(started, says(0, 'x'), stopped(raw), metadata()))).toMatchObject({ code });
  });

  test('with a call is tool_calls, whatever the stop reason', () => {
    expect(finishOf(read(started, calls(0, 't', 'f'), stopped('end_turn'), metadata()))).toBe('tool_calls');
    expect(finishOf(read(started, says(0, 'x'), stopped('tool_use'), metadata()))).toBe('stop');
  });

  test('that is missing is an interruption', () => {
    expect(thrownBy(() => read(started, says(0, 'x')))).toMatchObject({ code: 'upstream_interrupted' });
    expect(thrownBy(() => read(started, says(0, 'x'), metadata()))).toMatchObject({ code: 'upstream_interrupted' });
    expect(thrownBy(() => read(started, says(0, 'x'), stopped('end_turn').subarray(0, 40)))).toMatchObject({
      code: 'upstream_interrupted',
    });
    expect(thrownBy(() => read())).toMatchObject({ code: 'upstream_invalid_response' });
  });
});

describe('errors in a stream of Bedrock', () => {
  test('a damaged byte anywhere in a frame is detected', () => {
    const frame = says(0, 'text');
    for (let at = 0; at < frame.length; at += 5) {
      const broken = Buffer.from(frame);
      broken[at] = (broken[at] ?? 0) ^ 0x20;
      const error = thrownBy(() => read(started, broken, stopped('end_turn'), metadata()));
      expect(error, `byte ${at}`).toMatchObject({ code: 'upstream_invalid_response' });
    }
  });

  test('an invalid length is refused before memory is allocated for it', () => {
    const decoder = bedrockChat.decoder();
    expect(thrownBy(() => decoder.push(Buffer.from('{"message":"not a frame at all"}')))).toMatchObject({
      code: 'upstream_invalid_response',
    });
  });

  test.each([
    ['throttlingException', 'rate_limited'],
    ['serviceUnavailableException', 'upstream_unavailable'],
    ['internalServerException', 'upstream_error'],
    ['modelStreamErrorException', 'upstream_error'],
    ['modelTimeoutException', 'upstream_timeout'],
    ['validationException', 'invalid_request'],
    ['neverHeardOfException', 'upstream_error'],
  ])('%s is %s', (type, code) => {
    expect(thrownBy(() => read(started, says(0, 'x'), exception(type, 'm')))).toMatchObject({ code });
  });

  test('an input that is too long is reported as such', () => {
    const error = thrownBy(() => read(exception('validationException', 'Input is too long for requested model.')));
    expect(error).toMatchObject({ code: 'context_length_exceeded' });
  });

  test('an error with its message in the headers is reported', () => {
    expect(thrownBy(() => read(started, errorFrame('InternalFailure', 'm')))).toMatchObject({ code: 'upstream_error' });
  });

  test('a call without a name, and arguments of none, are refused', () => {
    expect(thrownBy(() => read(started, calls(0, 't', '')))).toMatchObject({ code: 'upstream_invalid_response' });
    expect(thrownBy(() => read(started, delta(0, { toolUse: { input: '{' } })))).toMatchObject({ code: 'upstream_invalid_response' });
  });

  test('unknown events are ignored', () => {
    expect(finishOf(read(started, event('weather', {}), says(0, 'x'), stopped('end_turn'), metadata()))).toBe('stop');
  });
});

describe('a whole answer of Bedrock', () => {
  const answer = (content: readonly Data[], stopReason: string | null, more: Data = {}): ChatEvent[] => {
    const body = { output: { message: { role: 'assistant', content } }, stopReason, usage: { inputTokens: 1, outputTokens: 2 }, ...more };
    return bedrockChat.decodeResponse(Buffer.from(JSON.stringify(body)));
  };

  test('has text, reasoning, citations and calls', async () => {
    const events = answer(
      [
        { reasoningContent: { reasoningText: { text: 'hm', signature: 'S' } } },
        { reasoningContent: { redactedContent: 'UkVE' } },
        { text: 'Look: ' },
        {
          citationsContent: { content: [{ text: 'cited' }], citations: [{ title: 'A', location: { web: { url: 'https://a.example/' } } }] },
        },
        { toolUse: { toolUseId: 't1', name: 'f', input: { x: 1 } } },
        { toolUse: { toolUseId: 't2', name: 'g', input: {} } },
        { image: { format: 'png', source: { bytes: 'QUJD' } } },
      ],
      'tool_use',
    );
    expect(textOf(events)).toBe('Look: cited');
    expect(events).toContainEqual({ type: 'image', choice: 0, url: 'data:image/png;base64,QUJD' });
    expect(details(events)).toEqual([
      { type: 'reasoning.text', format: 'bedrock', text: 'hm', signature: 'S' },
      { type: 'reasoning.encrypted', format: 'bedrock', data: 'UkVE' },
    ]);
    expect(callsOf(events).map((call) => call.arguments)).toEqual(['{"x":1}', '']);
    expect(usageOf(events)).toMatchObject({ inputTokens: 1, outputTokens: 2 });
    const { choices } = await collect(events);
    expect(choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { reasoning_content: 'hm' } });
  });

  test('may be cut at the limit, lack token counts, or be empty', async () => {
    expect(finishOf(answer([{ text: 'a' }], 'max_tokens'))).toBe('length');
    expect(usageOf(answer([{ text: 'a' }], 'end_turn', { usage: undefined }))).toBeNull();
    expect((await collect(answer([], 'guardrail_intervened'))).choices[0]?.finish_reason).toBe('content_filter');
  });

  test('is invalid without a message or a stop reason', () => {
    expect(thrownBy(() => bedrockChat.decodeResponse(Buffer.from('{"message":"m"}')))).toMatchObject({ code: 'upstream_invalid_response' });
    expect(thrownBy(() => answer([{ text: 'a' }], null, { usage: undefined }))).toMatchObject({ code: 'upstream_interrupted' });
  });
});
