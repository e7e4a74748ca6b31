/** Embeddings of OpenAI and compatible vendors. */
import { GatewayError } from '../../../types/errors.ts';
import type { Usage } from '../../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { EmbeddingsAnswer, EmbeddingsBody, EmbeddingsFormat, EncodeTarget, Reading } from '../../../types/wire-format.ts';
import { errorInside } from '../../classify-failure.ts';
import { isVector as isNumbers } from '../../conversation/embedding-inputs.ts';
import { readUsage } from './usage.ts';

function invalid(what: string, text?: string): GatewayError {
  return new GatewayError('upstream_invalid_response', `The vendor sent ${what}. Try again.`, { details: { text: text?.slice(0, 500) } });
}

function encodeRequest(body: EmbeddingsBody, target: EncodeTarget): string {
  const named = { ...body, model: target.model };
  return JSON.stringify(target.adjust === undefined ? named : target.adjust(named));
}

function isVector(value: Json | undefined): value is string | readonly number[] {
  return typeof value === 'string' ? value !== '' : isNumbers(value);
}

function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw invalid('an answer that is not JSON', text);
  }
}

const countsOf = (answer: JsonObject, reading?: Reading): Usage | null => readUsage(answer, { inputOnly: true, reading });

function decodeResponse(body: Buffer, reading?: Reading): EmbeddingsAnswer {
  const text = body.toString('utf8');
  const answer = parse(text);
  if (!isJsonObject(answer)) throw invalid('an answer that is not an object', text);
  const error = errorInside(answer, reading?.errorCodes);
  if (error !== undefined) throw error;
  const data = answer['data'];
  if (!Array.isArray(data) || data.length === 0) throw invalid('an answer without vectors', text);
  const vectors: (readonly number[] | string)[] = [];
  data.forEach((item: Json, position) => {
    const vector = isJsonObject(item) ? item['embedding'] : undefined;
    if (!isJsonObject(item) || !isVector(vector)) throw invalid('a vector that is none', text);
    const index = typeof item['index'] === 'number' ? item['index'] : position;
    if (!Number.isInteger(index) || index < 0 || index >= data.length || vectors[index] !== undefined)
      throw invalid('vectors that are not in any order', text);
    vectors[index] = vector;
  });
  return { vectors, usage: countsOf(answer, reading) };
}

export const openaiEmbeddings: EmbeddingsFormat = { encodeRequest, decodeResponse, countsOf };
