import { describe, expect, test } from 'vitest';
import { openaiChat } from '../../../../src/models/vendor-formats/openai/chat.ts';
import { streamChunks } from '../../../contract/strict-chat.ts';
import { type Chunk, frame, choice, decode, emit, textOf, failure, done, usage } from './samples.ts';

describe('a stream', () => {
  test('gives the same output wherever its bytes are cut', () => {
    const text =
      '\ufeff: hello\r\n\r\ndata:' +
      frame([
        choice({ role: 'assistant', content: '' }),
        choice({ content: '你好，👩‍👩‍👧！' }),
        choice({ reasoning_content: '思考' }),
        choice({}, 'stop'),
        { choices: [], usage },
        done,
      ]).slice(5);
    const whole = decode(text);
    expect(textOf(whole)).toBe('你好，👩‍👩‍👧！');
    const bytes = Buffer.from(text);
    for (let cut = 0; cut < bytes.length; cut++) {
      const decoder = openaiChat.decoder();
      expect([...decoder.push(bytes.subarray(0, cut)), ...decoder.push(bytes.subarray(cut)), ...decoder.end()]).toEqual(whole);
    }
    expect(decode(text, 1)).toEqual(whole);
    emit(whole);
  });

  test('with the role in every delta, no finish key until the end and usage on the finish chunk (Zhipu)', () => {
    const events = decode(
      frame([
        choice({ role: 'assistant', reasoning_content: 'hm' }),
        choice({ role: 'assistant', content: '4' }),
        choice({ role: 'assistant', content: '' }, 'stop', { usage }),
        done,
      ]),
    );
    expect(events.at(-1)).toMatchObject({ type: 'response-end', usage: { inputTokens: 3, outputTokens: 4 } });
    expect(streamChunks(emit(events)).at(-1)?.usage).toEqual(usage);
    emit(events, false);
  });

  test('with an empty first chunk (Azure), null roles and details (SGLang) and pings', () => {
    const events = decode(
      frame([
        { id: '', model: '', created: 0, object: '', choices: [], prompt_filter_results: [] },
        choice({ role: null, content: null, reasoning_content: 'We', tool_calls: null }, null, { usage: null }),
        ': keepalive',
        { type: 'ping' },
        choice({ content: 'x' }, null),
        choice({}, 'stop'),
        { choices: [], usage: { ...usage, prompt_tokens_details: null, reasoning_tokens: 2 } },
        done,
      ]),
    );
    expect(events[0]).toEqual({ type: 'response-start', id: 'v1', model: 'v' });
    expect(streamChunks(emit(events)).at(-1)?.usage).toEqual({ ...usage, completion_tokens_details: { reasoning_tokens: 2 } });
  });

  test('reads reasoning from its other field name and from content parts', () => {
    expect(
      textOf(
        decode(
          frame([choice({ reasoning: 'a' }), choice({ reasoning_content: 'b', reasoning: 'b' }), choice({ content: 'c' }, 'stop'), done]),
        ),
        'reasoning-delta',
      ),
    ).toBe('ab');
    const parts = decode(
      frame([
        choice(
          {
            content: [
              { type: 'thinking', thinking: [{ type: 'text', text: 'deep' }] },
              { type: 'text', text: 'out' },
            ],
          },
          'stop',
        ),
        done,
      ]),
    );
    expect(textOf(parts, 'reasoning-delta')).toBe('deep');
    expect(textOf(parts)).toBe('out');
  });

  test('without [DONE] is complete if it has a finish reason', () => {
    const events = decode(frame([choice({ content: 'a' }, 'length')]));
    expect(events.at(-1)).toEqual({ type: 'response-end', usage: null });
    emit(events);
  });

  test('that ends without a finish reason is interrupted', () => {
    expect(failure(frame([choice({ content: 'a' })]))).toMatchObject({ code: 'upstream_interrupted' });
    expect(failure(frame([choice({ content: 'a' }, 'null')]))).toMatchObject({ code: 'upstream_interrupted' });
    const both = [
      { index: 0, delta: {}, finish_reason: 'stop' },
      { index: 1, delta: { content: 'b' } },
    ];
    expect(failure(frame([{ choices: both }]))).toMatchObject({ code: 'upstream_interrupted' });
  });

  test('that is empty is an invalid answer', () => {
    expect(failure('')).toMatchObject({ code: 'upstream_invalid_response' });
    expect(failure(frame([done]))).toMatchObject({ code: 'upstream_invalid_response' });
  });

  test('with a malformed part is an invalid answer that keeps the part for the operator', () => {
    expect(failure(frame(['{"choices":[{"index":0', done]))).toMatchObject({
      code: 'upstream_invalid_response',
      details: { text: '{"choices":[{"index":0' },
    });
  });

  test.each([': keep-alive', 'ping', '[KEEPALIVE]', 'heartbeat', 'null', 'PROCESSING', ''])(
    'with %j as a sign of life is read without it',
    (sign) => {
      const parts = [sign, choice({ content: 'a' }), sign, choice({ content: 'b' }, 'stop'), done];
      expect(textOf(decode(frame(parts)))).toBe('ab');
    },
  );

  test.each(['Internal Server Error', 'ping failed', '<html>'])('with %j is an invalid answer', (text) => {
    expect(failure(frame([choice({ content: 'a' }), text, done]))).toMatchObject({ code: 'upstream_invalid_response' });
  });

  test('continues after a finish reason, but not after [DONE]', () => {
    const events = decode(
      frame([choice({ content: 'a' }, 'stop'), choice({ content: 'late' }, 'stop'), done, choice({ content: 'later' })]),
    );
    expect(textOf(events)).toBe('alate');
    emit(events);
  });

  test('keeps several choices, log probabilities, refusals and annotations', () => {
    const token = { token: 'a', logprob: -0.1 };
    const citation = { type: 'url_citation', url_citation: { start_index: 0, end_index: 1, url: 'https://a.example', title: 'A' } };
    const text = emit(
      decode(
        frame([
          {
            choices: [
              { index: 1, delta: { content: 'b' } },
              { index: 0, delta: { content: 'a' }, logprobs: { content: [token] } },
            ],
          },
          { choices: [{ index: 0, delta: { refusal: 'no' }, finish_reason: null }] },
          { choices: [{ index: 0, delta: { annotations: [citation, { type: 'odd' }] } }] },
          { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
          { choices: [{ index: 1, delta: {}, finish_reason: 'length' }] },
          done,
        ]),
      ),
    );
    const choices = streamChunks(text).flatMap((chunk) => chunk.choices);
    expect(choices).toContainEqual({
      index: 0,
      delta: { content: 'a' },
      logprobs: { content: [{ ...token, bytes: null, top_logprobs: [] }], refusal: null },
      finish_reason: null,
    });
    expect(choices).toContainEqual(expect.objectContaining({ index: 0, delta: { refusal: 'no' } }));
    expect(choices).toContainEqual(expect.objectContaining({ index: 0, delta: { annotations: [citation] } }));
    expect(choices).toContainEqual({ index: 1, delta: {}, logprobs: null, finish_reason: 'length' });
  });

  test('has fingerprint and tier only in the form of the schema', () => {
    const chunks = (rest: Chunk): Chunk =>
      streamChunks(emit(decode(frame([choice({ content: 'a' }, 'stop', rest), done]))))[0] as unknown as Chunk;
    expect(chunks({ system_fingerprint: 'fp_1', service_tier: 'default' })).toMatchObject({
      system_fingerprint: 'fp_1',
      service_tier: 'default',
    });
    const odd = chunks({ system_fingerprint: null, service_tier: 'on_demand', x_groq: {} });
    expect(Object.keys(odd)).toEqual(['id', 'object', 'created', 'model', 'choices', 'usage']);
  });
});
