/** Embeddings at Bedrock through InvokeModel: the format depends on the model's maker. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { Usage } from '../../../types/chat.ts';
import type { EmbeddingsAnswer, EmbeddingsBody, EmbeddingsFormat, EncodeTarget, Reading } from '../../../types/wire-format.ts';
import { invalidAnswer, parseAnswer } from '../../answer-json.ts';
import { errorInside } from '../../classify-failure.ts';
import { inputTexts, isVector } from '../../conversation/embedding-inputs.ts';
import { unsupported } from '../../conversation/request-fields.ts';

const taken: ReadonlySet<string> = new Set(['model', 'input', 'encoding_format', 'dimensions', 'user']);

function single(texts: readonly string[], target: EncodeTarget): string {
  if (texts.length <= 1) return texts[0] ?? '';
  throw unsupported(target, 'input', `embeds one text at a time with ${target.model}`, 'Set embeddings_batch of the provider to 1.');
}

function encodeForNova(text: string, dimensions: Json | undefined, rest: JsonObject): JsonObject {
  return {
    taskType: 'SINGLE_EMBEDDING',
    singleEmbeddingParams: {
      embeddingPurpose: 'GENERIC_INDEX',
      ...(typeof dimensions === 'number' ? { embeddingDimension: dimensions } : {}),
      text: { truncationMode: 'END', value: text },
      ...rest,
    },
  };
}

function encodeForCohere(texts: readonly string[], dimensions: Json | undefined, rest: JsonObject, target: EncodeTarget): JsonObject {
  if (rest['input_type'] === undefined) target.warn('input_type set to search_document: cohere needs one');
  return { texts, input_type: 'search_document', ...(typeof dimensions === 'number' ? { output_dimension: dimensions } : {}), ...rest };
}

function encodeRequest(body: EmbeddingsBody, target: EncodeTarget): string {
  if (body['user'] !== undefined) target.warn(`user left out: ${target.vendor} has none`);
  const rest: JsonObject = Object.fromEntries(Object.entries(body).filter(([field]) => !taken.has(field)));
  const texts = inputTexts(body, target);
  const { dimensions } = body;
  let encoded: JsonObject;
  if (target.model.includes('cohere.')) encoded = encodeForCohere(texts, dimensions, rest, target);
  else if (target.model.includes('amazon.nova')) encoded = encodeForNova(single(texts, target), dimensions, rest);
  else encoded = { inputText: single(texts, target), ...(typeof dimensions === 'number' ? { dimensions } : {}), ...rest };
  return JSON.stringify(target.adjust === undefined ? encoded : target.adjust(encoded));
}

/** Titan returns one vector, Cohere a list or lists by type, Nova a list of objects. */
function vectorsIn(answer: JsonObject): readonly Json[] {
  const { embedding, embeddings } = answer;
  if (embedding !== undefined) return [embedding];
  const list = isJsonObject(embeddings) ? embeddings['float'] : embeddings;
  if (!Array.isArray(list)) return [];
  return (list as readonly Json[]).map((each) => (isJsonObject(each) ? (each['embedding'] ?? null) : each));
}

function readUsage(answer: JsonObject): Usage | null {
  const tokens = answer['inputTextTokenCount'] ?? answer['inputTokenCount'];
  return typeof tokens === 'number' ? { inputTokens: tokens, outputTokens: 0 } : null;
}

function decodeResponse(body: Buffer, reading?: Reading): EmbeddingsAnswer {
  const text = body.toString('utf8');
  const answer = parseAnswer(text);
  const found = vectorsIn(answer);
  if (found.length === 0) throw errorInside(answer, reading?.errorCodes) ?? invalidAnswer('an answer without vectors', text);
  const vectors = found.map((each) => {
    if (!isVector(each)) throw invalidAnswer('a vector that is none', text);
    return each;
  });
  return { vectors, usage: readUsage(answer) };
}

export const bedrockEmbeddings: EmbeddingsFormat = { encodeRequest, decodeResponse, countsOf: readUsage };
