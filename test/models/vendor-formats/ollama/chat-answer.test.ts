import { describe, expect, test } from 'vitest';
import { ollamaChat } from '../../../../src/models/vendor-formats/ollama/chat.ts';
import { callsOf, collect, decode, decodeEveryCut, emit, finishOf, textOf, thrownBy, usageOf } from '../decode-and-emit.ts';

type Line = Record<string, unknown>;

const lines = (all: readonly Line[]): string => all.map((line) => `${JSON.stringify({ model: 'qwen3:8b', ...line })}\n`).join('');
const said = (message: Line): Line => ({ message: { role: 'assistant', content: '', ...message }, done: false });
const done = (rest: Line = {}): Line => ({ ...said({}), done: true, done_reason: 'stop', prompt_eval_count: 15, eval_count: 20, ...rest });
const call = (rest: Line): Line => said({ tool_calls: [rest] });

describe('a stream of Ollama', () => {
  test('gives the same events wherever its bytes are cut', () => {
    const events = decodeEveryCut(
      ollamaChat,
      lines([
        said({ thinking: '嗯' }),
        said({ thinking: '，👩‍👩‍👧' }),
        said({ content: 'Grü' }),
        said({ content: 'ße 你好😊' }),
        call({ function: { name: 'f', arguments: { 城市: '北京' } } }),
        done(),
      ]),
    );
    expect(textOf(events)).toBe('Grüße 你好😊');
    expect(textOf(events, 'reasoning-delta')).toBe('嗯，👩‍👩‍👧');
    expect(events[0]).toEqual({ type: 'response-start', model: 'qwen3:8b' });
    emit(events);
  });

  test('gives call arguments as text, generates missing ids and ends "stop" with calls as tool_calls', () => {
    const events = decode(
      ollamaChat,
      lines([
        call({ id: 'call_x', function: { index: 0, name: 'a', arguments: { b: [1] } } }),
        said({ tool_calls: [{ function: { name: 'c' } }, { id: 'call_x', function: { name: 'd', arguments: '{"e":1}' } }] }),
        done(),
      ]),
    );
    const calls = callsOf(events);
    expect(calls.map(({ name, arguments: text }) => [name, text])).toEqual([
      ['a', '{"b":[1]}'],
      ['c', '{}'],
      ['d', '{"e":1}'],
    ]);
    expect(calls[0]?.id).toBe('call_x');
    expect(new Set(calls.map(({ id }) => id)).size).toBe(3);
    expect(finishOf(events)).toBe('tool_calls');
    emit(events);
  });

  test('has the counts of its last line, and marks the count that is missing', () => {
    expect(usageOf(decode(ollamaChat, lines([said({ content: 'x' }), done()])))).toEqual({ inputTokens: 15, outputTokens: 20 });
    const withoutInput = lines([said({ content: 'x' }), done({ prompt_eval_count: undefined })]);
    expect(usageOf(decode(ollamaChat, withoutInput))).toEqual({ inputTokens: 0, outputTokens: 20, uncounted: 'input' });
    const withoutOutput = lines([said({ content: 'x' }), done({ eval_count: undefined })]);
    expect(usageOf(decode(ollamaChat, withoutOutput))).toEqual({ inputTokens: 15, outputTokens: 0, uncounted: 'output' });
  });

  test('ends with length, and with stop for an old server without a reason', () => {
    expect(finishOf(decode(ollamaChat, lines([done({ done_reason: 'length' })])))).toBe('length');
    expect(finishOf(decode(ollamaChat, lines([done({ done_reason: undefined })])))).toBe('stop');
    expect(thrownBy(() => decode(ollamaChat, lines([done({ done_reason: 'tired' })])))).toMatchObject({ code: 'upstream_interrupted' });
  });

  test('fails with the error that is one of its lines', () => {
    const text = `${lines([said({ content: 'so far' })])}{"error":"an error was encountered while running the model: CUDA error"}\n`;
    expect(thrownBy(() => decode(ollamaChat, text))).toMatchObject({ code: 'upstream_error' });
  });

  test('without done is interrupted', () => {
    expect(thrownBy(() => decode(ollamaChat, lines([said({ content: 'x' })])))).toMatchObject({ code: 'upstream_interrupted' });
    expect(thrownBy(() => decode(ollamaChat, ''))).toMatchObject({ code: 'upstream_invalid_response' });
    expect(thrownBy(() => decode(ollamaChat, '<html>\n'))).toMatchObject({ code: 'upstream_invalid_response' });
    expect(thrownBy(() => decode(ollamaChat, lines([call({ function: {} })])))).toMatchObject({ code: 'upstream_invalid_response' });
  });

  test('ignores lines after its end', () => {
    const events = decode(ollamaChat, `${lines([said({ content: 'x' }), done()])}rubbish\n`);
    expect(events.at(-1)?.type).toBe('response-end');
    emit(events);
  });

  test('keeps log probabilities', async () => {
    const token = { token: 'x', logprob: -0.5, bytes: [120], top_logprobs: [{ token: 'y', logprob: -1 }] };
    const answer = await collect(decode(ollamaChat, lines([{ ...said({ content: 'x' }), logprobs: [token] }, done()])));
    expect(answer.choices[0]?.logprobs).toEqual({
      content: [{ ...token, top_logprobs: [{ token: 'y', logprob: -1, bytes: null }] }],
      refusal: null,
    });
  });
});

describe('a whole answer of Ollama', () => {
  const whole = (text: string) => ollamaChat.decodeResponse(Buffer.from(text));

  test('is read when pretty-printed, or streamed without a stream request', async () => {
    const answer = await collect(
      whole(JSON.stringify({ ...done(), message: { role: 'assistant', content: 'hi', thinking: 'hm' } }, null, 2)),
    );
    expect(answer.choices[0]).toMatchObject({ message: { content: 'hi', reasoning_content: 'hm' }, finish_reason: 'stop' });
    expect(answer.usage).toEqual({ prompt_tokens: 15, completion_tokens: 20, total_tokens: 35 });
    expect(textOf(whole(lines([said({ content: 'a' }), said({ content: 'b' }), done()])))).toBe('ab');
  });

  test('that is an error, or not done, is an error', () => {
    expect(thrownBy(() => whole('{"error":"boom"}'))).toMatchObject({ code: 'upstream_error' });
    expect(thrownBy(() => whole(lines([said({ content: 'a' })])))).toMatchObject({ code: 'upstream_interrupted' });
  });
});
