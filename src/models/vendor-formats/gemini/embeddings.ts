/** Embeddings with Gemini at Google AI Studio: one request per text, many requests per body. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { EmbeddingsAnswer, EmbeddingsBody, EmbeddingsFormat, EncodeTarget, Reading } from '../../../types/wire-format.ts';
import { invalidAnswer, parseAnswer } from '../../answer-json.ts';
import { errorInside } from '../../classify-failure.ts';
import { inputTexts, isVector } from '../../conversation/embedding-inputs.ts';
import { readUsage } from './usage.ts';

const taken: ReadonlySet<string> = new Set(['model', 'input', 'encoding_format', 'dimensions', 'user']);

function encodeRequest(body: EmbeddingsBody, target: EncodeTarget): string {
  if (body['user'] !== undefined) target.warn(`user left out: ${target.vendor} has none`);
  const rest = Object.fromEntries(Object.entries(body).filter(([field]) => !taken.has(field)));
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
  const text = body.toString('utf8');
  const answer = parseAnswer(text);
  const error = errorInside(answer, reading?.errorCodes);
  if (error !== undefined) throw error;
  const items = answer['embeddings'];
  if (!Array.isArray(items) || items.length === 0) throw invalidAnswer('an answer without vectors', text);
  const vectors = items.map((item: Json) => {
    const values = isJsonObject(item) ? item['values'] : undefined;
    if (!isVector(values)) throw invalidAnswer('a vector that is none', text);
    return values;
  });
  return { vectors, usage: readUsage(answer) };
}

export const geminiEmbeddings: EmbeddingsFormat = { encodeRequest, decodeResponse };
