import { describe, expect, test } from 'vitest';
import { geminiChat } from '../../../../src/models/vendor-formats/gemini/chat.ts';
import type { ChatEvent } from '../../../../src/types/chat.ts';
import { callsOf, collect, decode, decodeEveryCut, emit, finishOf, textOf, thrownBy, usageOf } from '../decode-and-emit.ts';

type Part = Record<string, unknown>;

function frame(parts: readonly Part[]): string {
  return parts.map((part) => `data: ${JSON.stringify(part)}\r\n\r\n`).join('');
}

function said(parts: readonly Part[], rest: Part = {}, top: Part = {}): Part {
  return { candidates: [{ content: { role: 'model', parts }, ...rest }], modelVersion: 'gemini-3-pro', responseId: 'r-1', ...top };
}

const stop = said([{ text: '' }], { finishReason: 'STOP', index: 0 });
const call = (name: string, args?: object): Part => ({ functionCall: { name, ...(args === undefined ? {} : { args }) } });
const whole = (body: unknown): ChatEvent[] => geminiChat.decodeResponse(Buffer.from(JSON.stringify(body)));
const details = (events: readonly ChatEvent[]) => events.flatMap((event) => (event.type === 'thought' ? [event.detail] : []));

describe('a stream of Gemini', () => {
  test('gives the same events wherever its bytes are cut', () => {
    const events = decodeEveryCut(
      geminiChat,
      frame([
        said([{ text: '**想**', thought: true }]),
        said([{ text: '你好' }]),
        said([{ text: '，👩‍👩‍👧！' }]),
        said([call('f', { 城市: '北京🏯' })]),
        stop,
      ]),
    );
    expect(textOf(events)).toBe('你好，👩‍👩‍👧！');
    expect(textOf(events, 'reasoning-delta')).toBe('**想**');
    expect(events[0]).toEqual({ type: 'response-start', id: 'r-1', model: 'gemini-3-pro' });
    emit(events);
  });

  test('numbers parallel calls over all parts, and ends with tool_calls despite STOP in a later empty part', () => {
    const events = decode(geminiChat, frame([said([call('a', { x: 1 })]), said([call('a', { x: 2 })]), said([call('b')]), stop]));
    const calls = callsOf(events);
    expect(calls.map(({ name, arguments: text }) => [name, text])).toEqual([
      ['a', '{"x":1}'],
      ['a', '{"x":2}'],
      ['b', '{}'],
    ]);
    expect(new Set(calls.map(({ id }) => id)).size).toBe(3);
    for (const { id } of calls) expect(id).toMatch(/^call_/);
    expect(finishOf(events)).toBe('tool_calls');
    emit(events);
  });

  test("keeps the vendor's ids when they are unique", () => {
    const named = (id: string): Part => ({ functionCall: { id, name: 'f', args: {} } });
    const calls = callsOf(decode(geminiChat, frame([said([named('fc1'), named('fc2'), named('fc1')], { finishReason: 'STOP' })])));
    expect(calls.slice(0, 2).map(({ id }) => id)).toEqual(['fc1', 'fc2']);
    expect(calls[2]?.id).toMatch(/^call_/);
  });

  test('assigns the signature of a call to its id, and keeps other signatures', () => {
    const events = decode(
      geminiChat,
      frame([
        said([{ ...call('a', {}), thoughtSignature: 'S1' }, call('b', {})]),
        said([{ text: '', thoughtSignature: 'S2' }], { finishReason: 'STOP' }),
      ]),
    );
    expect(details(events)).toEqual([
      { type: 'reasoning.encrypted', format: 'gemini', id: callsOf(events)[0]?.id, data: 'S1' },
      { type: 'reasoning.encrypted', format: 'gemini', data: 'S2' },
    ]);
    emit(events);
  });

  test('uses only the finish reason of the last part', () => {
    const events = decode(
      geminiChat,
      frame([said([{ text: 'a' }], { finishReason: 'STOP' }), said([{ text: 'b' }], { finishReason: 'STOP' })]),
    );
    expect(textOf(events)).toBe('ab');
    emit(events);
  });

  test('counts reasoning as output, and uses the last counts', () => {
    const counted = (usage: Part): Part => said([{ text: 'x' }], {}, { usageMetadata: usage });
    const last = {
      promptTokenCount: 9,
      cachedContentTokenCount: 4,
      candidatesTokenCount: 28,
      thoughtsTokenCount: 244,
      totalTokenCount: 281,
    };
    const events = decode(
      geminiChat,
      frame([counted({ trafficType: 'ON_DEMAND' }), counted({ promptTokenCount: 9, totalTokenCount: 10 }), counted(last), stop]),
    );
    expect(usageOf(events)).toEqual({ inputTokens: 9, outputTokens: 272, cachedInputTokens: 4, reasoningTokens: 244 });
    expect(
      usageOf(decode(geminiChat, frame([counted({ promptTokenCount: 5, totalTokenCount: 12, toolUsePromptTokenCount: 3 }), stop]))),
    ).toEqual({
      inputTokens: 8,
      outputTokens: 4,
    });
  });

  test.each([
    ['MALFORMED_FUNCTION_CALL', 'upstream_error'],
    ['UNEXPECTED_TOOL_CALL', 'upstream_error'],
    ['OTHER', 'upstream_error'],
    ['BORED', 'upstream_interrupted'],
  ])('fails with %s', (finishReason, code) => {
    expect(thrownBy(() => decode(geminiChat, frame([said([{ text: 'x' }]), said([], { finishReason })])))).toMatchObject({ code });
  });

  test.each([
    ['MAX_TOKENS', 'length'],
    ['SAFETY', 'content_filter'],
    ['RECITATION', 'content_filter'],
    ['LANGUAGE', 'content_filter'],
    ['PROHIBITED_CONTENT', 'content_filter'],
  ])('ends with %s as %s', (finishReason, wanted) => {
    const events = decode(geminiChat, frame([said([{ text: 'x' }]), { candidates: [{ finishReason, index: 0 }] }]));
    expect(finishOf(events)).toBe(wanted);
    emit(events);
  });

  test('without its end is interrupted', () => {
    expect(thrownBy(() => decode(geminiChat, frame([said([{ text: 'x' }])])))).toMatchObject({ code: 'upstream_interrupted' });
    expect(thrownBy(() => decode(geminiChat, ''))).toMatchObject({ code: 'upstream_invalid_response' });
    expect(thrownBy(() => decode(geminiChat, 'data: {"candidates": [\n\n'))).toMatchObject({ code: 'upstream_invalid_response' });
  });

  test('fails with the error that comes in its middle', () => {
    const error = { code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' };
    expect(thrownBy(() => decode(geminiChat, frame([said([{ text: 'x' }]), { error }])))).toMatchObject({ code: 'upstream_unavailable' });
    const limit = {
      code: 429,
      status: 'RESOURCE_EXHAUSTED',
      details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '7s' }],
    };
    expect(thrownBy(() => whole([{ error: limit }]))).toMatchObject({ code: 'rate_limited', retryAfterSeconds: 7 });
  });

  test('turns grounding sources into citations, with byte offsets as character offsets', () => {
    const groundingMetadata = {
      groundingChunks: [{ web: { uri: 'https://a.example', title: 'A' } }, { web: { uri: 'https://b.example' } }],
      groundingSupports: [{ segment: { startIndex: 6, endIndex: 12 }, groundingChunkIndices: [0, 1] }],
    };
    const events = decode(
      geminiChat,
      frame([said([{ text: '你好' }]), said([{ text: '世界' }], { groundingMetadata, finishReason: 'STOP' })]),
    );
    expect(events.flatMap((event) => (event.type === 'annotation' ? [event.annotation] : []))).toEqual([
      { type: 'url_citation', url_citation: { start_index: 2, end_index: 4, url: 'https://a.example', title: 'A' } },
      { type: 'url_citation', url_citation: { start_index: 2, end_index: 4, url: 'https://b.example', title: 'https://b.example' } },
    ]);
    expect(emit(events)).toContain('url_citation');
  });
});

describe('a whole answer of Gemini', () => {
  test('whose prompt was blocked has no content and the reason content_filter', async () => {
    const body = {
      candidates: [],
      promptFeedback: { blockReason: 'SAFETY' },
      usageMetadata: { promptTokenCount: 12, totalTokenCount: 12 },
    };
    const answer = await collect(whole(body));
    expect(answer.choices).toMatchObject([{ message: { content: '' }, finish_reason: 'content_filter' }]);
    expect(answer.usage).toMatchObject({ prompt_tokens: 12, completion_tokens: 0 });
    const streamed = decode(geminiChat, frame([{ promptFeedback: { blockReason: 'PROHIBITED_CONTENT' } }]));
    expect(finishOf(streamed)).toBe('content_filter');
    emit(streamed);
  });

  test('keeps several candidates and their log probabilities', async () => {
    const chosen = { token: '是', tokenId: 1, logProbability: -0.5 };
    const candidate = (index: number) => ({
      index,
      content: { parts: [{ text: `no. ${index}` }], role: 'model' },
      finishReason: 'STOP',
      logprobsResult: { chosenCandidates: [chosen], topCandidates: [{ candidates: [chosen, { token: 'b', logProbability: -2 }] }] },
    });
    const answer = await collect(whole({ candidates: [candidate(0), candidate(1)] }));
    expect(answer.choices.map((each) => each.message['content'])).toEqual(['no. 0', 'no. 1']);
    expect(answer.choices[1]?.logprobs).toEqual({
      content: [
        {
          token: '是',
          logprob: -0.5,
          bytes: [0xe6, 0x98, 0xaf],
          top_logprobs: [
            { token: '是', logprob: -0.5, bytes: [0xe6, 0x98, 0xaf] },
            { token: 'b', logprob: -2, bytes: [98] },
          ],
        },
      ],
      refusal: null,
    });
  });

  test('may come as the list of all its parts', () => {
    expect(textOf(whole([said([{ text: 'a' }]), said([{ text: 'b' }], { finishReason: 'STOP' })]))).toBe('ab');
  });

  test('shows executed code as reasoning, and contains generated images and audio', async () => {
    const parts = [
      { executableCode: { language: 'PYTHON', code: 'print(1)' } },
      { codeExecutionResult: { outcome: 'OUTCOME_OK', output: '1\n' } },
      { inlineData: { mimeType: 'image/png', data: 'AAAA' } },
    ];
    const answer = await collect(whole(said(parts, { finishReason: 'STOP' })));
    expect(answer.choices[0]?.message).toMatchObject({
      content: '',
      reasoning_content: '\n```python\nprint(1)\n```\n\n```\n1\n\n```\n',
      images: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }],
    });
    const sound = said([{ inlineData: { mimeType: 'audio/pcm', data: 'AA' } }], { finishReason: 'STOP' });
    expect((await collect(whole(sound))).choices[0]?.message['audio']).toMatchObject({ data: 'AA', transcript: '' });
    const film = said([{ inlineData: { mimeType: 'video/mp4', data: 'AA' } }], { finishReason: 'STOP' });
    expect(thrownBy(() => whole(film))).toMatchObject({ code: 'upstream_invalid_response' });
  });
});
