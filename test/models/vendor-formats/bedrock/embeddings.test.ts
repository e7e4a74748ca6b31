import { describe, expect, test } from 'vitest';
import { bedrockEmbeddings } from '../../../../src/models/vendor-formats/bedrock/embeddings.ts';
import { targetOf } from '../../target.ts';
import { thrownBy } from '../decode-and-emit.ts';

const encode = (model: string, body: object, target = targetOf({ model })): unknown =>
  JSON.parse(bedrockEmbeddings.encodeRequest({ model: 'm', input: 'a', ...body }, target).toString());
const decode = (body: unknown) => bedrockEmbeddings.decodeResponse(Buffer.from(JSON.stringify(body)));

describe('embeddings at Bedrock', () => {
  test('are requested in the format of each model maker', () => {
    expect(encode('amazon.titan-embed-text-v2:0', { dimensions: 256, normalize: true, encoding_format: 'base64' })).toEqual({
      inputText: 'a',
      dimensions: 256,
      normalize: true,
    });
    const cohere = targetOf({ model: 'cohere.embed-v4:0' });
    expect(encode('', { input: ['a', 'b'], dimensions: 256 }, cohere)).toEqual({
      texts: ['a', 'b'],
      input_type: 'search_document',
      output_dimension: 256,
    });
    expect(cohere.warnings).toEqual(['input_type set to search_document: cohere needs one']);
    expect(encode('cohere.embed-english-v3', { input_type: 'search_query' })).toEqual({ texts: ['a'], input_type: 'search_query' });
    expect(
      encode('amazon.nova-2-multimodal-embeddings-v1:0', { input: ['a'], dimensions: 384, embeddingPurpose: 'TEXT_RETRIEVAL' }),
    ).toEqual({
      taskType: 'SINGLE_EMBEDDING',
      singleEmbeddingParams: {
        embeddingPurpose: 'TEXT_RETRIEVAL',
        embeddingDimension: 384,
        text: { truncationMode: 'END', value: 'a' },
      },
    });
  });

  test('are refused for token numbers, and for more texts than a model takes', () => {
    expect(thrownBy(() => encode('amazon.titan-embed-text-v2:0', { input: [1, 2] }))).toMatchObject({ code: 'unsupported_parameter' });
    expect(thrownBy(() => encode('amazon.titan-embed-text-v2:0', { input: ['a', 'b'] }))).toMatchObject({ param: 'input' });
  });

  test('are read in the format of each model maker', () => {
    expect(decode({ embedding: [1, 2], inputTextTokenCount: 5 })).toEqual({
      vectors: [[1, 2]],
      usage: { inputTokens: 5, outputTokens: 0 },
    });
    expect(decode({ embeddings: [[1], [2]], id: 'x', texts: ['a', 'b'] })).toEqual({ vectors: [[1], [2]], usage: null });
    expect(decode({ embeddings: { float: [[1], [2]] } }).vectors).toEqual([[1], [2]]);
    expect(decode({ embeddings: [{ embeddingType: 'TEXT', embedding: [3] }], inputTokenCount: 2 })).toEqual({
      vectors: [[3]],
      usage: { inputTokens: 2, outputTokens: 0 },
    });
  });

  test.each([[{}], [{ embeddings: [] }], [{ embedding: ['x'] }], [{ embeddings: { int8: [[1]] } }]])('%j is no answer', (body) => {
    expect(thrownBy(() => decode(body))).toMatchObject({ code: 'upstream_invalid_response' });
  });
});
