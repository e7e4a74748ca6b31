/** Embeddings at Vertex AI, through its older prediction service. */
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

function decodeResponse(body: Buffer, reading?: Reading): EmbeddingsAnswer {
  let counted: number | null = 0;
  const valuesOf = (prediction: Json): Json | undefined => {
    const embeddings = isJsonObject(prediction) && isJsonObject(prediction['embeddings']) ? prediction['embeddings'] : {};
    const tokens = isJsonObject(embeddings['statistics']) ? embeddings['statistics']['token_count'] : undefined;
    counted = counted === null || typeof tokens !== 'number' ? null : counted + tokens;
    return embeddings['values'];
  };
  const { vectors } = readVectors(body, reading, 'predictions', valuesOf);
  return { vectors, usage: counted === null ? null : { inputTokens: Math.round(counted), outputTokens: 0 } };
}

export const vertexEmbeddings: EmbeddingsFormat = { encodeRequest, decodeResponse };
