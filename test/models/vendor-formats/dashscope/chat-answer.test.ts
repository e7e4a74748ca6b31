import { describe, expect, test } from 'vitest';
import { dashscopeChat } from '../../../../src/models/vendor-formats/dashscope/chat.ts';
import { callsOf, collect, decode, decodeEveryCut, deltas, emit, finishOf, textOf, thrownBy, usageOf } from '../decode-and-emit.ts';

type Part = Record<string, unknown>;
let number = 0;

/** Frames of DashScope: a comment between the fields, no space after `data:`. */
function frame(parts: readonly Part[]): string {
  return parts.map((part) => `id:${++number}\nevent:result\n:HTTP_STATUS/200\ndata:${JSON.stringify(part)}\n\n`).join('');
}

function said(message: Part, finish: string | null = 'null', output = 1): Part {
  return {
    output: { choices: [{ message: { role: 'assistant', content: '', ...message }, finish_reason: finish }] },
    usage: { input_tokens: 19, output_tokens: output, total_tokens: 19 + output, prompt_tokens_details: { cached_tokens: 3 } },
    request_id: 'r-1',
  };
}

function plain(text: string, finish = 'null', output = 1): Part {
  return { output: { text, finish_reason: finish }, usage: { input_tokens: 19, output_tokens: output }, request_id: 'r-1' };
}

const counted = ['1', ',', ' ', '2', ', 3,', ' 4, ', '5.'];
const repeated = counted.map((_, index) => counted.slice(0, index + 1).join(''));

describe('a stream of DashScope', () => {
  test('gives the same events wherever its bytes are cut', () => {
    const text = frame([
      said({ reasoning_content: '嗯，' }),
      said({ reasoning_content: '用户👩‍👩‍👧' }),
      said({ content: '你好' }),
      said({ content: '，世界！😊' }),
      said({}, 'stop', 9),
    ]);
    const events = decodeEveryCut(dashscopeChat, text);
    expect(textOf(events)).toBe('你好，世界！😊');
    expect(textOf(events, 'reasoning-delta')).toBe('嗯，用户👩‍👩‍👧');
    expect(events[0]).toEqual({ type: 'response-start', id: 'r-1' });
    emit(events);
  });

  test('has the last of its cumulative counts', () => {
    const events = decode(dashscopeChat, frame([said({ content: 'a' }), said({ content: 'b' }, 'null', 2), said({}, 'stop', 3)]));
    expect(usageOf(events)).toMatchObject({ inputTokens: 19, outputTokens: 3, cachedInputTokens: 3 });
  });

  test('counts the tokens of the reasoning', () => {
    const last = { ...said({}, 'stop'), usage: { input_tokens: 2, output_tokens: 8, output_tokens_details: { reasoning_tokens: 5 } } };
    expect(usageOf(decode(dashscopeChat, frame([said({ content: 'x' }), last])))).toMatchObject({ outputTokens: 8, reasoningTokens: 5 });
  });

  test('gives the same text for incremental and for cumulative parts', () => {
    const parts = decode(dashscopeChat, frame([...counted.map((text) => plain(text)), plain('', 'stop')]));
    const whole = decode(dashscopeChat, frame(repeated.map((text, index) => plain(text, index === repeated.length - 1 ? 'stop' : 'null'))));
    expect(textOf(parts)).toBe('1, 2, 3, 4, 5.');
    expect(textOf(whole)).toBe('1, 2, 3, 4, 5.');
    expect(deltas(parts)).toEqual(counted);
    expect(deltas(whole)).toEqual(counted);
    for (const events of [parts, whole]) expect(finishOf(events)).toBe('stop');
  });

  test.each([
    [['1', '10', '0', '!'], '1100!'],
    [['哈', '哈哈', '哈哈哈', '！'], '哈哈哈哈哈哈！'],
    [['| --- ', '| --- ', '| --- ', '|'], '| --- | --- | --- |'],
    [['ab', 'ab'], 'abab'],
  ])('does not mistake similar parts %j for repetitions', (parts, wanted) => {
    const text = frame([...parts.map((content) => said({ content })), said({}, 'stop')]);
    expect(textOf(decode(dashscopeChat, text))).toBe(wanted);
  });

  test('detects a short cumulative text', () => {
    expect(textOf(decode(dashscopeChat, frame([said({ content: 'Hi' }), said({ content: 'Hi!' }, 'stop')])))).toBe('Hi!');
  });

  test('refuses a repeated text that changes', () => {
    const text = frame([...repeated.map((content) => said({ content })), said({ content: 'something else' }, 'stop')]);
    expect(thrownBy(() => decode(dashscopeChat, text))).toMatchObject({ code: 'upstream_invalid_response' });
  });

  test('gives tool calls with incremental arguments', () => {
    const call = (index: number, id: string, name: string | undefined, text: string): Part => ({
      index,
      id,
      type: 'function',
      function: { ...(name === undefined ? {} : { name }), arguments: text },
    });
    const text = frame([
      said({ tool_calls: [call(0, 'call_1', 'weather', '')] }),
      said({ tool_calls: [call(0, '', undefined, '{"city": "')] }),
      said({ tool_calls: [call(0, '', undefined, '北京"}')] }),
      said({ tool_calls: [call(1, 'call_2', 'time', '{}')] }),
      said({ tool_calls: [call(1, '', undefined, '')] }, 'tool_calls'),
    ]);
    const events = decodeEveryCut(dashscopeChat, text);
    expect(callsOf(events)).toEqual([
      { id: 'call_1', name: 'weather', arguments: '{"city": "北京"}' },
      { id: 'call_2', name: 'time', arguments: '{}' },
    ]);
    expect(finishOf(events)).toBe('tool_calls');
    emit(events);
  });

  test('gives tool calls with cumulative arguments', () => {
    const pieces = ['{', '{"city"', '{"city": "北', '{"city": "北京"', '{"city": "北京"}', '{"city": "北京"}'];
    const text = frame(
      pieces.map((piece, index) =>
        said(
          { tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: 'weather', arguments: piece } }] },
          index === pieces.length - 1 ? 'tool_calls' : 'null',
        ),
      ),
    );
    const events = decodeEveryCut(dashscopeChat, text);
    expect(callsOf(events)).toEqual([{ id: 'call_1', name: 'weather', arguments: '{"city": "北京"}' }]);
    emit(events);
  });

  test('ignores repeated complete arguments', () => {
    const call = said({ tool_calls: [{ index: 0, id: 'c', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }] });
    const last = said(
      { tool_calls: [{ index: 0, id: 'c', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }] },
      'tool_calls',
    );
    expect(callsOf(decode(dashscopeChat, frame([call, call, last])))[0]?.arguments).toBe('{"a":1}');
    const empty = said({ tool_calls: [{ index: 0, id: 'c', type: 'function', function: { arguments: '' } }] }, 'tool_calls');
    expect(callsOf(decode(dashscopeChat, frame([call, call, empty])))[0]?.arguments).toBe('{"a":1}');
  });

  test('generates a missing call id, and ends "stop" with calls as tool_calls', () => {
    const text = frame([said({ tool_calls: [{ index: 0, function: { name: 'f', arguments: '{}' } }] }), said({}, 'stop')]);
    const events = decode(dashscopeChat, text);
    expect(callsOf(events)[0]?.id).toMatch(/^call_/);
    expect(finishOf(events)).toBe('tool_calls');
    emit(events);
  });

  test('reads the content parts of multimodal models', () => {
    const text = frame([said({ content: [{ text: '一只' }] }), said({ content: [{ text: '猫' }] }), said({ content: [] }, 'stop')]);
    const events = decode(dashscopeChat, text);
    expect(textOf(events)).toBe('一只猫');
    emit(events);
  });

  test.each([
    ['Throttling.RateQuota', 'Requests rate limit exceeded', 'rate_limited'],
    ['DataInspectionFailed', 'Output data may contain inappropriate content.', 'content_filter'],
    ['InvalidParameter', 'Range of input length should be [1, 30720]', 'context_length_exceeded'],
    ['InvalidParameter', 'top_k must be a number', 'invalid_request'],
    ['InternalError.Algo', 'An internal error has occured', 'upstream_error'],
  ])('ends with the error %s inside status 200', (code, message, wanted) => {
    const text = `${frame([said({ content: 'so far' })])}id:2\nevent:error\n:HTTP_STATUS/400\ndata:${JSON.stringify({ code, message, request_id: 'r' })}\n\n`;
    expect(thrownBy(() => decode(dashscopeChat, text))).toMatchObject({ code: wanted });
  });

  test('without its end is interrupted', () => {
    expect(thrownBy(() => decode(dashscopeChat, frame([said({ content: 'so far' })])))).toMatchObject({ code: 'upstream_interrupted' });
    expect(thrownBy(() => decode(dashscopeChat, ''))).toMatchObject({ code: 'upstream_invalid_response' });
    expect(thrownBy(() => decode(dashscopeChat, 'data:{"output":\n\n'))).toMatchObject({ code: 'upstream_invalid_response' });
  });
});

describe('a whole answer of DashScope', () => {
  const whole = (body: unknown) => dashscopeChat.decodeResponse(Buffer.from(JSON.stringify(body)));

  test('gives its tool calls', async () => {
    const call = { index: 0, id: 'call_9', type: 'function', function: { name: 'weather', arguments: '{"city": "Rome"}' } };
    const answer = await collect(whole(said({ tool_calls: [call] }, 'tool_calls', 21)));
    expect(answer.choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { tool_calls: [{ id: 'call_9' }] } });
    expect(answer.usage).toEqual({
      prompt_tokens: 19,
      completion_tokens: 21,
      total_tokens: 40,
      prompt_tokens_details: { cached_tokens: 3 },
    });
  });

  test('keeps several choices and their log probabilities', async () => {
    const token = { token: 'a', logprob: -0.1, bytes: [97], top_logprobs: [] };
    const choice = (index: number) => ({
      index,
      message: { role: 'assistant', content: `no. ${index}` },
      finish_reason: 'stop',
      logprobs: { content: [token] },
    });
    const answer = await collect(whole({ output: { choices: [choice(1), choice(0)] }, request_id: 'r' }));
    expect(answer.choices.map((each) => each.message['content'])).toEqual(['no. 0', 'no. 1']);
    expect(answer.choices[1]?.logprobs).toMatchObject({ content: [token] });
  });

  test('that contains an error is an error', () => {
    expect(thrownBy(() => whole({ code: 'InvalidApiKey', message: 'Invalid API-key provided.' }))).toMatchObject({
      code: 'upstream_authentication',
    });
    expect(thrownBy(() => whole({ output: {}, request_id: 'r' }))).toMatchObject({ code: 'upstream_invalid_response' });
  });

  test('with an unknown finish reason is not a complete one', () => {
    expect(thrownBy(() => whole(said({ content: 'x' }, 'tired')))).toMatchObject({ code: 'upstream_interrupted' });
  });
});
