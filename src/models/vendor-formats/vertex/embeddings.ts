/** Embeddings at Vertex AI, through its older prediction service. */
import type { Usage } from '../../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { EmbeddingsAnswer, EmbeddingsBody, EmbeddingsFormat, EncodeTarget, Reading } from '../../../types/wire-format.ts';
import { inputTexts, passthroughFields, readVectors } from '../../conversation/embedding-inputs.ts';

/** Settings of one text; all others apply to the whole request. */
const perText: ReadonlySet<string> = new Set(['task_type', 'title']);
const taken: ReadonlySet<string> = new Set(['model', 'input', 'encoding_format', 'dimensions', 'user']);

function encodeRequest(body: EmbeddingsBody, target: EncodeTarget): string {
  const rest = passthroughFields(body, target, taken);
  const own = Object.fromEntries(rest.filter(([field]) => perText.has(field)));
  const dimensions = body['dimensions'];
  const parameters = {
    ...(typeof dimensions === 'number' ? { outputDimensionality: dimensions } : {}),
    ...Object.fromEntries(rest.filter(([field]) => !perText.has(field))),
  };
  const encoded: JsonObject = {
    instances: inputTexts(body, target).map((content) => ({ content, ...own })),
    ...(Object.keys(parameters).length === 0 ? {} : { parameters }),
  };
  return JSON.stringify(target.adjust === undefined ? encoded : target.adjust(encoded));
}

const embeddingsIn = (prediction: Json): JsonObject =>
  isJsonObject(prediction) && isJsonObject(prediction['embeddings']) ? prediction['embeddings'] : {};

/** Null when a text has no count. */
function countsOf(answer: JsonObject): Usage | null {
  let inputTokens = 0;
  for (const prediction of Array.isArray(answer['predictions']) ? (answer['predictions'] as readonly Json[]) : []) {
    const { statistics } = embeddingsIn(prediction);
    const tokens = isJsonObject(statistics) ? statistics['token_count'] : undefined;
    if (typeof tokens !== 'number') return null;
    inputTokens += tokens;
  }
  return { inputTokens: Math.round(inputTokens), outputTokens: 0 };
}

function decodeResponse(body: Buffer, reading?: Reading): EmbeddingsAnswer {
  const { answer, vectors } = readVectors(body, reading, 'predictions', (prediction) => embeddingsIn(prediction)['values']);
  return { vectors, usage: countsOf(answer) };
}

export const vertexEmbeddings: EmbeddingsFormat = { encodeRequest, decodeResponse, countsOf };
