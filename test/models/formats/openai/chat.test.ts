import { describe, expect, test } from 'vitest';
import { collectCompletion, createChunkEmitter } from '../../../../src/models/emitters/chat-completions.ts';
import { openaiChat } from '../../../../src/models/formats/openai/chat.ts';
import type { ChatEvent } from '../../../../src/types/chat.ts';
import { checkCompletion, checkStream, streamChunks } from '../../../contract/strict-chat.ts';

type Chunk = Record<string, unknown>;
const options = { id: 'chatcmpl-1', created: 1_700_000_000, model: 'public', reasoning: true };

function frame(chunks: readonly (Chunk | string)[]): string {
  return chunks.map((chunk) => `data: ${typeof chunk === 'string' ? chunk : JSON.stringify(chunk)}\n\n`).join('');
}

function choice(delta: Chunk, finish?: string | null, rest: Chunk = {}): Chunk {
  return {
    id: 'v1',
    object: 'chat.completion.chunk',
    created: 5,
    model: 'v',
    choices: [{ index: 0, delta, ...(finish === undefined ? {} : { finish_reason: finish }) }],
    ...rest,
  };
}

/** Events of a stream fed in pieces of `size` bytes. */
function decode(text: string, size = 1e9): ChatEvent[] {
  const decoder = openaiChat.decoder();
  const bytes = Buffer.from(text);
  const events: ChatEvent[] = [];
  for (let at = 0; at < bytes.length; at += size) events.push(...decoder.push(bytes.subarray(at, at + size)));
  events.push(...decoder.end());
  return events;
}

/** What the caller gets, checked against the output contract. */
function emit(events: readonly ChatEvent[], includeUsage = true): string {
  const text = createChunkEmitter({ ...options, includeUsage }).write(events);
  expect(checkStream(text, { usage: includeUsage })).toEqual([]);
  return text;
}

async function collect(body: unknown): Promise<Record<string, unknown>> {
  const events = openaiChat.decodeResponse(Buffer.from(JSON.stringify(body)));
  const answer = JSON.parse(await collectCompletion(batches(events), options)) as Record<string, unknown>;
  expect(checkCompletion(answer)).toEqual([]);
  return answer;
}

async function* batches(events: readonly ChatEvent[]): AsyncGenerator<readonly ChatEvent[]> {
  yield events;
}

function textOf(events: readonly ChatEvent[], type: 'text-delta' | 'reasoning-delta' | 'refusal-delta' = 'text-delta'): string {
  return events.map((event) => (event.type === type ? event.text : '')).join('');
}

function failure(text: string): unknown {
  try {
    decode(text);
  } catch (error) {
    return error;
  }
  return null;
}

const done = '[DONE]';
const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 };

describe('a stream', () => {
  test('gives the same output however its bytes are cut', () => {
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

  test('reads reasoning under its other name and from content parts', () => {
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

  test('that ends without a finish reason is an interrupted one, with and without [DONE]', () => {
    expect(failure(frame([choice({ content: 'a' })]))).toMatchObject({ code: 'upstream_interrupted' });
    expect(failure(frame([choice({ content: 'a' }, 'null'), done]))).toMatchObject({ code: 'upstream_interrupted' });
    expect(
      failure(
        frame([
          {
            choices: [
              { index: 0, delta: {}, finish_reason: 'stop' },
              { index: 1, delta: { content: 'b' } },
            ],
          },
          done,
        ]),
      ),
    ).toMatchObject({ code: 'upstream_interrupted' });
  });

  test('without anything is an invalid answer', () => {
    expect(failure('')).toMatchObject({ code: 'upstream_invalid_response' });
    expect(failure(frame([done]))).toMatchObject({ code: 'upstream_invalid_response' });
  });

  test('with a malformed part is an invalid answer that keeps the part for the operator', () => {
    expect(failure(frame(['{"choices":[{"index":0', done]))).toMatchObject({
      code: 'upstream_invalid_response',
      details: { text: '{"choices":[{"index":0' },
    });
  });

  test('drops what a vendor says after the finish reason', () => {
    const events = decode(
      frame([choice({ content: 'a' }, 'stop'), choice({ content: 'late' }, 'stop'), done, choice({ content: 'later' })]),
    );
    expect(textOf(events)).toBe('a');
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

  test('carries the fingerprint and tier only in the form that the schema has', () => {
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

describe('tool calls in a stream', () => {
  const call = (fields: Chunk): Chunk => choice({ tool_calls: [fields] });
  const calls = (chunks: readonly Chunk[], finish = 'tool_calls'): { id: string; name: string; text: string }[] => {
    const events = decode(frame([...chunks, choice({}, finish), done]));
    emit(events);
    expect(events.find((event) => event.type === 'finish')).toMatchObject({ reason: 'tool_calls' });
    const found: { id: string; name: string; text: string }[] = [];
    for (const event of events) {
      if (event.type === 'tool-call-start') found[event.call] = { id: event.id, name: event.name, text: '' };
      else if (event.type === 'tool-call-delta') (found[event.call] as { text: string }).text += event.arguments;
    }
    return found;
  };

  test('with an empty id and the type repeated in each delta (Qwen)', () => {
    expect(
      calls([
        call({ index: 0, id: 'c1', type: 'function', function: { name: 'f', arguments: '' } }),
        call({ index: 0, id: '', type: 'function', function: { arguments: '{"a":' } }),
        choice({ content: '' }),
        call({ index: 0, id: '', type: 'function', function: { name: '', arguments: '1}' } }),
      ]),
    ).toEqual([{ id: 'c1', name: 'f', text: '{"a":1}' }]);
  });

  test('without index, two in one delta (Mistral)', () => {
    const both = choice({
      content: null,
      tool_calls: [
        { id: 'a', function: { name: 'f', arguments: '{}' } },
        { id: 'b', function: { name: 'g', arguments: '{"x":1}' } },
      ],
    });
    expect(calls([both])).toEqual([
      { id: 'a', name: 'f', text: '{}' },
      { id: 'b', name: 'g', text: '{"x":1}' },
    ]);
  });

  test('that count from one, or all count zero', () => {
    expect(calls([call({ index: 1, id: 'a', function: { name: 'f' } }), call({ index: 1, function: { arguments: '{}' } })])).toHaveLength(
      1,
    );
    expect(
      calls([
        call({ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '{"n":1}' } }),
        call({ index: 0, id: 'b', type: 'function', function: { name: 'f', arguments: '{"n":' } }),
        call({ index: 0, function: { arguments: '2}' } }),
      ]),
    ).toEqual([
      { id: 'a', name: 'f', text: '{"n":1}' },
      { id: 'b', name: 'f', text: '{"n":2}' },
    ]);
  });

  test('without id, with a numeric id, or with one id for two calls', () => {
    const [first, second, third, fourth] = calls([
      call({ index: 0, function: { name: 'f', arguments: '{}' } }),
      call({ index: 1, id: 7, function: { name: 'f', arguments: '{}' } }),
      call({ index: 2, id: 'same', function: { name: 'f', arguments: '{}' } }),
      call({ index: 3, id: 'same', function: { name: 'f', arguments: '{}' } }),
    ]);
    expect(first?.id).toMatch(/^call_[0-9a-f]{32}$/);
    expect(second?.id).toBe('7');
    expect(third?.id).toBe('same');
    expect(fourth?.id).toMatch(/^call_/);
  });

  test('whose arguments are an object, missing, or come before the name', () => {
    expect(calls([call({ index: 0, id: 'a', function: { name: 'f', arguments: { city: '北京' } } })])[0]?.text).toBe('{"city":"北京"}');
    const silent = decode(frame([call({ index: 0, id: 'a', type: 'function', function: { name: 'f' } }), choice({}, 'stop'), done]));
    expect(emit(silent)).toContain('"arguments":"{}"');
    expect(
      calls([call({ index: 0, id: 'a', function: { arguments: '{"a"' } }), call({ index: 0, function: { name: 'f', arguments: ':1}' } })]),
    ).toEqual([{ id: 'a', name: 'f', text: '{"a":1}' }]);
  });

  test('that end with "stop" end as tool_calls, cut ones stay "length", and no calls end as "stop"', () => {
    calls([call({ index: 0, id: 'a', function: { name: 'f', arguments: '{}' } })], 'stop');
    const cut = decode(frame([call({ index: 0, id: 'a', function: { name: 'f', arguments: '{"a' } }), choice({}, 'length'), done]));
    expect(emit(cut)).toContain('"finish_reason":"length"');
    expect(emit(decode(frame([choice({ content: 'x' }, 'tool_calls'), done])))).toContain('"finish_reason":"stop"');
  });

  test('without any name are an invalid answer', () => {
    expect(failure(frame([call({ index: 0, id: 'a', function: { arguments: '{}' } }), choice({}, 'stop'), done]))).toMatchObject({
      code: 'upstream_invalid_response',
    });
  });

  test('of the old and the free-text kind keep their form', () => {
    const legacy = emit(
      decode(
        frame([
          choice({ function_call: { name: 'f', arguments: '' } }),
          choice({ function_call: { arguments: '{}' } }),
          choice({}, 'function_call'),
          done,
        ]),
      ),
    );
    expect(legacy).toContain('"delta":{"function_call":{"name":"f","arguments":""}}');
    expect(legacy).toContain('"finish_reason":"function_call"');
    const events = decode(
      frame([call({ index: 0, id: 'a', type: 'custom', custom: { name: 'sql', input: 'select' } }), choice({}, 'tool_calls'), done]),
    );
    expect(createChunkEmitter({ ...options, includeUsage: false }).write(events)).toContain(
      '"tool_calls":[{"index":0,"custom":{"input":"select"}}]',
    );
  });
});

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

  test('an unknown one is never taken for the end', () => {
    expect(failure(frame([choice({ content: 'a' }, 'because'), done]))).toMatchObject({
      code: 'upstream_interrupted',
      details: { finishReason: 'because' },
    });
  });
});

describe('an error inside a good status', () => {
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
  test('gets the keys that OpenAI itself leaves out', async () => {
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

  test.each(['<html>login</html>', '[]', '{}', '{"choices":[]}', 'null'])('%s is none', (text) => {
    expect(() => openaiChat.decodeResponse(Buffer.from(text))).toThrow(expect.objectContaining({ code: 'upstream_invalid_response' }));
  });

  test('without finish reason is an interrupted one', () => {
    expect(() => openaiChat.decodeResponse(Buffer.from('{"choices":[{"index":0,"message":{"content":"a"}}]}'))).toThrow(
      expect.objectContaining({ code: 'upstream_interrupted' }),
    );
  });
});
