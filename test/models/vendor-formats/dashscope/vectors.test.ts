import { describe, expect, test } from 'vitest';
import { dashscopeEmbeddings } from '../../../../src/models/vendor-formats/dashscope/embeddings.ts';
import { dashscopeRerank } from '../../../../src/models/vendor-formats/dashscope/rerank.ts';
import { targetOf } from '../../target.ts';
import { thrownBy } from '../decode-and-emit.ts';

const bytes = (body: unknown) => Buffer.from(JSON.stringify(body));

describe('embeddings of DashScope', () => {
  test('are requested as texts with their settings', () => {
    const target = targetOf();
    const sent = dashscopeEmbeddings.encodeRequest(
      { model: 'm', input: 'a', dimensions: 64, encoding_format: 'base64', text_type: 'query', user: 'u' },
      target,
    );
    expect(JSON.parse(sent.toString())).toEqual({
      model: 'theirs',
      input: { texts: ['a'] },
      parameters: { dimension: 64, text_type: 'query' },
    });
    expect(target.warnings).toEqual(['user left out: vendor has none']);
  });

  test('refuse token numbers', () => {
    for (const input of [
      [1, 2],
      [[1], [2]],
    ]) {
      expect(thrownBy(() => dashscopeEmbeddings.encodeRequest({ model: 'm', input }, targetOf()))).toMatchObject({
        code: 'unsupported_parameter',
        param: 'input',
      });
    }
  });

  test('are returned in the order of the inputs, with the total as input tokens', () => {
    const output = {
      embeddings: [
        { text_index: 1, embedding: [2, 0] },
        { text_index: 0, embedding: [1, 0] },
      ],
    };
    expect(dashscopeEmbeddings.decodeResponse(bytes({ output, usage: { total_tokens: 7 }, request_id: 'r' }))).toEqual({
      vectors: [
        [1, 0],
        [2, 0],
      ],
      usage: { inputTokens: 7, outputTokens: 0 },
    });
  });

  test.each([
    [{ code: 'Arrearage', message: 'Access denied' }, 'upstream_quota_exhausted'],
    [{ output: { embeddings: [] } }, 'upstream_invalid_response'],
    [{ output: { embeddings: [{ text_index: 0, embedding: [] }] } }, 'upstream_invalid_response'],
    [{ output: { embeddings: [{ text_index: 3, embedding: [1] }] } }, 'upstream_invalid_response'],
  ])('%j is no answer', (body, code) => {
    expect(thrownBy(() => dashscopeEmbeddings.decodeResponse(bytes(body)))).toMatchObject({ code });
  });
});

describe('reranking of DashScope', () => {
  test('is requested with plain texts where a document is only a text', () => {
    const documents = ['a', { text: 'b' }, { text: 'c', id: 1 }, { image: 'https://pictures.example/a.png' }];
    const sent = dashscopeRerank.encodeRequest(
      { model: 'm', query: 'q', documents, top_n: 2, return_documents: true, instruct: 'find' },
      targetOf(),
    );
    expect(JSON.parse(sent.toString())).toEqual({
      model: 'theirs',
      input: { query: 'q', documents: ['a', 'b', { text: 'c', id: 1 }, { image: 'https://pictures.example/a.png' }] },
      parameters: { return_documents: false, top_n: 2, instruct: 'find' },
    });
  });

  test('is sorted by score', () => {
    const output = {
      results: [
        { index: 0, relevance_score: 0.1 },
        { index: 2, relevance_score: 0.9 },
      ],
    };
    expect(dashscopeRerank.decodeResponse(bytes({ output, usage: { total_tokens: 5 } }))).toEqual({
      results: [
        { index: 2, score: 0.9 },
        { index: 0, score: 0.1 },
      ],
      usage: { inputTokens: 5, outputTokens: 0 },
    });
    expect(thrownBy(() => dashscopeRerank.decodeResponse(bytes({ output: { results: [{ index: 'x' }] } })))).toMatchObject({
      code: 'upstream_invalid_response',
    });
  });
});
