import { describe, expect, test } from 'vitest';
import { geminiEmbeddings } from '../../../../src/models/vendor-formats/gemini/embeddings.ts';
import { vertexEmbeddings } from '../../../../src/models/vendor-formats/vertex/embeddings.ts';
import { targetOf } from '../../target.ts';
import { thrownBy } from '../decode-and-emit.ts';

const bytes = (body: unknown) => Buffer.from(JSON.stringify(body));
const target = () => targetOf({ model: 'gemini-embedding-001' });

describe('embeddings of Google', () => {
  test('are requested one by one in a batch of AI Studio', () => {
    const sent = geminiEmbeddings.encodeRequest({ model: 'm', input: ['a', 'b'], dimensions: 64, taskType: 'RETRIEVAL_QUERY' }, target());
    const request = (text: string) => ({
      model: 'models/gemini-embedding-001',
      content: { parts: [{ text }] },
      outputDimensionality: 64,
      taskType: 'RETRIEVAL_QUERY',
    });
    expect(JSON.parse(sent.toString())).toEqual({ requests: [request('a'), request('b')] });
    expect(geminiEmbeddings.decodeResponse(bytes({ embeddings: [{ values: [1] }, { values: [2] }] }))).toEqual({
      vectors: [[1], [2]],
      usage: null,
    });
  });

  test('are requested as instances at Vertex, which counts their tokens', () => {
    const sent = vertexEmbeddings.encodeRequest(
      { model: 'm', input: 'a', dimensions: 64, task_type: 'QUERY', autoTruncate: false },
      target(),
    );
    expect(JSON.parse(sent.toString())).toEqual({
      instances: [{ content: 'a', task_type: 'QUERY' }],
      parameters: { outputDimensionality: 64, autoTruncate: false },
    });
    const prediction = (value: number) => ({ embeddings: { values: [value], statistics: { token_count: 3, truncated: false } } });
    expect(vertexEmbeddings.decodeResponse(bytes({ predictions: [prediction(1), prediction(2)] }))).toEqual({
      vectors: [[1], [2]],
      usage: { inputTokens: 6, outputTokens: 0 },
    });
  });

  test.each([geminiEmbeddings, vertexEmbeddings])('that are missing, or an error, are an error', (format) => {
    expect(thrownBy(() => format.decodeResponse(bytes({})))).toMatchObject({ code: 'upstream_invalid_response' });
    expect(thrownBy(() => format.decodeResponse(bytes({ embeddings: [{}], predictions: [{}] })))).toMatchObject({
      code: 'upstream_invalid_response',
    });
    expect(thrownBy(() => format.decodeResponse(bytes({ error: { code: 503, status: 'UNAVAILABLE', message: 'x' } })))).toMatchObject({
      code: 'upstream_unavailable',
    });
    expect(thrownBy(() => format.encodeRequest({ model: 'm', input: [1] }, target()))).toMatchObject({ param: 'input' });
  });
});
