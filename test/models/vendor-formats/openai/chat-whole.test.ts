import { describe, expect, test } from 'vitest';
import { openaiChat } from '../../../../src/models/vendor-formats/openai/chat.ts';
import { checkCompletion } from '../../../contract/strict-chat.ts';
import { batches, collect, options, frame, choice, decode, failure, done, usage } from './samples.ts';
import { collectCompletion } from '../../client-formats/collect.ts';

describe('finish reasons', () => {
  const ends = (word: string): unknown => decode(frame([choice({ content: 'a' }, word), done])).find((event) => event.type === 'finish');

  test.each([
    ['eos', 'stop'],
    ['end_turn', 'stop'],
    ['model_length', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['sensitive', 'content_filter'],
    ['SAFETY', 'content_filter'],
  ])('%s is %s', (word, reason) => {
    expect(ends(word)).toMatchObject({ reason, raw: word });
  });

  test.each(['network_error', 'insufficient_system_resource'])('%s is a failure of the vendor', (word) => {
    expect(failure(frame([choice({ content: 'a' }, word), done]))).toMatchObject({ code: 'upstream_error', retryable: true });
  });

  test('an unknown one is never a complete end', () => {
    expect(failure(frame([choice({ content: 'a' }, 'because'), done]))).toMatchObject({
      code: 'upstream_interrupted',
      details: { finishReason: 'because' },
    });
  });
});

describe('an error with status 200', () => {
  test.each([
    ['OpenAI', { error: { message: 'overloaded https://vendor.example', type: 'server_error', code: null } }, 'upstream_error'],
    ['a coded one', { error: { message: 'slow down', code: 'rate_limit_exceeded' } }, 'rate_limited'],
    ['a number', { error: { message: 'x', code: 429 } }, 'rate_limited'],
    ['DashScope', { code: 'Throttling.RateQuota', message: 'x', request_id: 'y' }, 'rate_limited'],
    ['MiniMax', { choices: null, base_resp: { status_code: 1008, status_msg: 'insufficient balance' } }, 'upstream_error'],
    ['vLLM', { object: 'error', message: 'boom', type: 'InternalServerError', code: 500 }, 'upstream_error'],
    ['a plain text', { error: 'model is loading' }, 'upstream_error'],
  ])('%s: in a stream and whole', (_name, body, code) => {
    const inStream = failure(frame([choice({ content: 'a' }), body]));
    expect(inStream).toMatchObject({ code, retryable: true });
    expect(JSON.stringify((inStream as Error).message)).not.toContain('vendor.example');
    expect(() => openaiChat.decodeResponse(Buffer.from(JSON.stringify(body)))).toThrow(expect.objectContaining({ code }));
  });
});

describe('a whole answer', () => {
  test('gets the fields that OpenAI itself omits', async () => {
    const answer = await collect({
      id: 'x',
      system_fingerprint: null,
      choices: [{ index: 0, message: { role: 'assistant', content: 'hi', annotations: [] }, finish_reason: 'stop' }],
      usage: { ...usage, cached_tokens: 2, completion_tokens_details: { reasoning_tokens: 1, odd: null } },
    });
    expect(answer).toEqual({
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 1_700_000_000,
      model: 'public',
      choices: [{ index: 0, message: { role: 'assistant', content: 'hi', refusal: null }, logprobs: null, finish_reason: 'stop' }],
      usage: { ...usage, prompt_tokens_details: { cached_tokens: 2 }, completion_tokens_details: { reasoning_tokens: 1 } },
    });
  });

  test('with calls and an index of their own (Qwen) has neither empty content nor the index', async () => {
    const call = { index: 0, id: 'c', type: 'function', function: { name: 'f', arguments: '{"a":1}' } };
    const answer = await collect({
      choices: [{ index: 0, message: { content: '', role: 'assistant', tool_calls: [call] }, finish_reason: 'stop' }],
      usage,
    });
    expect(answer['choices']).toEqual([
      {
        index: 0,
        message: {
          role: 'assistant',
          content: null,
          refusal: null,
          tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }],
        },
        logprobs: null,
        finish_reason: 'tool_calls',
      },
    ]);
  });

  test('with one id for two calls keeps both, with new ids', async () => {
    const call = (n: number) => ({ id: 'c', type: 'function', function: { name: 'f', arguments: `{"n":${n}}` } });
    const message = { role: 'assistant', content: null, tool_calls: [call(1), call(2)] };
    const answer = await collect({ choices: [{ index: 0, message, finish_reason: 'tool_calls' }], usage });
    const [first] = answer['choices'] as { message: { tool_calls: { id: string; function: object }[] } }[];
    const calls = first?.message.tool_calls ?? [];
    expect(calls.map((each) => each.function)).toEqual([call(1).function, call(2).function]);
    expect(new Set(calls.map(({ id }) => id)).size).toBe(2);
  });

  test('keeps several choices in order', async () => {
    const one = (index: number) => ({ index, message: { role: 'assistant', content: `c${index}` }, finish_reason: 'stop' });
    const answer = await collect({ choices: [one(1), one(0)], usage });
    expect((answer['choices'] as { message: { content: string } }[]).map((each) => each.message.content)).toEqual(['c0', 'c1']);
  });

  test('joins deltas, reasoning, sound and log probabilities of a stream', async () => {
    const token = (text: string) => ({ token: text, logprob: -1, bytes: null, top_logprobs: [] });
    const events = decode(
      frame([
        { choices: [{ index: 0, delta: { content: 'a', reasoning_content: 'r1' }, logprobs: { content: [token('a')] } }] },
        {
          choices: [
            {
              index: 0,
              delta: { content: 'b', reasoning_content: 'r2', audio: { id: 'au', data: 'AA' } },
              logprobs: { content: [token('b')] },
            },
          ],
        },
        { choices: [{ index: 0, delta: { audio: { data: 'BB', transcript: 't', expires_at: 9 } }, finish_reason: 'stop' }] },
        { choices: [], usage },
        done,
      ]),
    );
    const answer = JSON.parse(await collectCompletion(batches(events), options)) as { choices: unknown[] };
    expect(checkCompletion(answer)).toEqual([]);
    expect(answer.choices[0]).toMatchObject({
      message: { content: 'ab', reasoning_content: 'r1r2', audio: { id: 'au', data: 'AABB', transcript: 't', expires_at: 9 } },
      logprobs: { content: [token('a'), token('b')], refusal: null },
    });
  });

  test.each(['<html>login</html>', '[]', '{}', '{"choices":[]}', 'null'])('%s is invalid', (text) => {
    expect(() => openaiChat.decodeResponse(Buffer.from(text))).toThrow(expect.objectContaining({ code: 'upstream_invalid_response' }));
  });

  test('without finish reason is interrupted', () => {
    expect(() => openaiChat.decodeResponse(Buffer.from('{"choices":[{"index":0,"message":{"content":"a"}}]}'))).toThrow(
      expect.objectContaining({ code: 'upstream_interrupted' }),
    );
  });
});
