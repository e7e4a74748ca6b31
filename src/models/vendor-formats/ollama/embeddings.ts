/** Embeddings in Ollama's native format. */
import type { Json, JsonObject } from '../../../types/json.ts';
import type { EmbeddingsAnswer, EmbeddingsBody, EmbeddingsFormat, EncodeTarget, Reading } from '../../../types/wire-format.ts';
import { invalidAnswer, parseAnswer } from '../../answer-json.ts';
import { errorInside } from '../../classify-failure.ts';
import { inputTexts, isVector } from '../../conversation/embedding-inputs.ts';

const taken: ReadonlySet<string> = new Set(['model', 'input', 'encoding_format', 'user']);

function encodeRequest(body: EmbeddingsBody, target: EncodeTarget): string {
  if (body['user'] !== undefined) target.warn(`user left out: ${target.vendor} has none`);
  const rest = Object.fromEntries(Object.entries(body).filter(([field]) => !taken.has(field)));
  const encoded: JsonObject = { model: target.model, input: inputTexts(body, target), ...rest };
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
    if (!isVector(item)) throw invalidAnswer('a vector that is none', text);
    return item;
  });
  const tokens = answer['prompt_eval_count'];
  return { vectors, usage: typeof tokens === 'number' ? { inputTokens: tokens, outputTokens: 0 } : null };
}

export const ollamaEmbeddings: EmbeddingsFormat = { encodeRequest, decodeResponse };
