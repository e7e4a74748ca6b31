import { targetOf } from '../../target.ts';
import { expect, test } from 'vitest';
import { renderEmbeddings } from '../../../../src/models/client-formats/embeddings.ts';
import { openaiEmbeddings } from '../../../../src/models/vendor-formats/openai/embeddings.ts';

function decode(body: unknown) {
  return openaiEmbeddings.decodeResponse(Buffer.from(JSON.stringify(body)));
}

test('the request keeps its unknown fields and gets the vendor model', () => {
  const sent = openaiEmbeddings.encodeRequest({ model: 'public', input: ['a'], dimensions: 8, odd: true }, targetOf());
  expect(JSON.parse(sent.toString())).toEqual({ model: 'theirs', input: ['a'], dimensions: 8, odd: true });
});

test('vectors are returned in the order of the inputs', () => {
  const answer = decode({
    data: [
      { index: 1, embedding: [2] },
      { index: 0, embedding: [1] },
    ],
    usage: { prompt_tokens: 5, total_tokens: 5 },
  });
  expect(answer.vectors).toEqual([[1], [2]]);
  expect(answer.usage).toMatchObject({ inputTokens: 5, outputTokens: 0 });
  expect(decode({ data: [{ embedding: [1] }, { embedding: 'AACAPw==' }] })).toEqual({ vectors: [[1], 'AACAPw=='], usage: null });
});

test.each([
  [{ data: [] }],
  [{ data: [{ index: 0, embedding: [] }] }],
  [{ data: [{ index: 0, embedding: ['a'] }] }],
  [{ data: [{ index: 2, embedding: [1] }] }],
  [
    {
      data: [
        { index: 0, embedding: [1] },
        { index: 0, embedding: [2] },
      ],
    },
  ],
  [[]],
  ['x'],
])('%j is no answer', (body) => {
  expect(() => decode(body)).toThrow(expect.objectContaining({ code: 'upstream_invalid_response' }));
});

test('an error with status 200 is an error', () => {
  expect(() => decode({ code: 'Throttling', message: 'x' })).toThrow(expect.objectContaining({ code: 'rate_limited' }));
});

test('is written in the requested encoding, whatever the vendor used', () => {
  const render = (encoding: 'float' | 'base64') =>
    JSON.parse(
      renderEmbeddings([[1, -0.5], 'AACAPwAAAL8='], { id: 'embd-1', model: 'm', encoding, usage: { inputTokens: 3, outputTokens: 0 } }),
    ) as Record<string, unknown>;
  expect(render('float')).toEqual({
    id: 'embd-1',
    object: 'list',
    data: [
      { object: 'embedding', index: 0, embedding: [1, -0.5] },
      { object: 'embedding', index: 1, embedding: [1, -0.5] },
    ],
    model: 'm',
    usage: { prompt_tokens: 3, total_tokens: 3 },
  });
  expect((render('base64')['data'] as { embedding: unknown }[]).map((each) => each.embedding)).toEqual(['AACAPwAAAL8=', 'AACAPwAAAL8=']);
});
