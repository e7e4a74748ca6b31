/** Embeddings with Gemini at Google AI Studio: one request per text, many requests per body. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { EmbeddingsAnswer, EmbeddingsBody, EmbeddingsFormat, EncodeTarget, Reading } from '../../../types/wire-format.ts';
import { inputTexts, passthroughFields, readVectors } from '../../conversation/embedding-inputs.ts';
import { readUsage } from './usage.ts';

const taken: ReadonlySet<string> = new Set(['model', 'input', 'encoding_format', 'dimensions', 'user']);

function encodeRequest(body: EmbeddingsBody, target: EncodeTarget): string {
  const rest = Object.fromEntries(passthroughFields(body, target, taken));
  const dimensions = body['dimensions'];
  const model = target.model.includes('/') ? target.model : `models/${target.model}`;
  const encoded: JsonObject = {
    requests: inputTexts(body, target).map((text) => ({
      model,
      content: { parts: [{ text }] },
      ...(typeof dimensions === 'number' ? { outputDimensionality: dimensions } : {}),
      ...rest,
    })),
  };
  return JSON.stringify(target.adjust === undefined ? encoded : target.adjust(encoded));
}

function decodeResponse(body: Buffer, reading?: Reading): EmbeddingsAnswer {
  const valuesOf = (item: Json): Json | undefined => (isJsonObject(item) ? item['values'] : undefined);
  const { answer, vectors } = readVectors(body, reading, 'embeddings', valuesOf);
  return { vectors, usage: readUsage(answer) };
}

export const geminiEmbeddings: EmbeddingsFormat = { encodeRequest, decodeResponse, countsOf: readUsage };
