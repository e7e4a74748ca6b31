/** Embeddings in DashScope's native format: texts in `input.texts`, vectors in any order in `output.embeddings`. */
import type { Json, JsonObject } from '../../../types/json.ts';
import { isJsonObject } from '../../../types/json.ts';
import type { EmbeddingsAnswer, EmbeddingsBody, EmbeddingsFormat, EncodeTarget, Reading } from '../../../types/wire-format.ts';
import { invalidAnswer, parseAnswer } from '../../answer-json.ts';
import { inputTexts, isVector } from '../../conversation/embedding-inputs.ts';
import { errorIn } from './errors.ts';
import { readUsage } from './usage.ts';

const taken: ReadonlySet<string> = new Set(['model', 'input', 'encoding_format', 'dimensions', 'user']);

function encodeRequest(body: EmbeddingsBody, target: EncodeTarget): string {
  if (body['user'] !== undefined) target.warn(`user left out: ${target.vendor} has none`);
  const rest = Object.fromEntries(Object.entries(body).filter(([field]) => !taken.has(field)));
  const dimensions = body['dimensions'];
  const encoded: JsonObject = {
    model: target.model,
    input: { texts: inputTexts(body, target) },
    parameters: { ...(typeof dimensions === 'number' ? { dimension: dimensions } : {}), ...rest },
  };
  return JSON.stringify(target.adjust === undefined ? encoded : target.adjust(encoded));
}

function decodeResponse(body: Buffer, reading?: Reading): EmbeddingsAnswer {
  const text = body.toString('utf8');
  const answer = parseAnswer(text);
  const error = errorIn(answer, reading);
  if (error !== undefined) throw error;
  const items = isJsonObject(answer['output']) ? answer['output']['embeddings'] : undefined;
  if (!Array.isArray(items) || items.length === 0) throw invalidAnswer('an answer without vectors', text);
  const vectors: (readonly number[])[] = [];
  items.forEach((item: Json, position) => {
    const vector = isJsonObject(item) ? item['embedding'] : undefined;
    const index = isJsonObject(item) && typeof item['text_index'] === 'number' ? item['text_index'] : position;
    if (!isVector(vector)) throw invalidAnswer('a vector that is none', text);
    if (!Number.isInteger(index) || index < 0 || index >= items.length || vectors[index] !== undefined)
      throw invalidAnswer('vectors that are not in any order', text);
    vectors[index] = vector;
  });
  return { vectors, usage: readUsage(answer) };
}

export const dashscopeEmbeddings: EmbeddingsFormat = { encodeRequest, decodeResponse, countsOf: readUsage };
