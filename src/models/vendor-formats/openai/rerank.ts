/** Reranking as Cohere and Jina shaped it and most others copied it. */
import { GatewayError } from '../../../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { EncodeTarget, Reading, RerankAnswer, RerankBody, RerankFormat } from '../../../types/wire-format.ts';
import { errorInside } from '../../classify-failure.ts';
import { readUsage } from './usage.ts';

function invalid(what: string, text: string): GatewayError {
  return new GatewayError('upstream_invalid_response', `The vendor sent ${what}. Try again.`, { details: { text: text.slice(0, 500) } });
}

function encodeRequest(body: RerankBody, target: EncodeTarget): string {
  const named = { ...body, model: target.model };
  return JSON.stringify(target.adjust === undefined ? named : target.adjust(named));
}

/** Where the counts stand: OpenAI's place, else Cohere's `meta.tokens` or `meta.billed_units`, Jina's `usage.total_tokens`. */
function usageOf(answer: JsonObject) {
  const meta = isJsonObject(answer['meta']) ? answer['meta'] : {};
  const tokens = [meta['tokens'], meta['billed_units']].find((each) => isJsonObject(each) && typeof each['input_tokens'] === 'number');
  return readUsage(answer) ?? (tokens === undefined ? null : readUsage({ usage: tokens }));
}

function decodeResponse(body: Buffer, reading?: Reading): RerankAnswer {
  const text = body.toString('utf8');
  let answer: Json;
  try {
    answer = JSON.parse(text) as Json;
  } catch {
    throw invalid('an answer that is not JSON', text);
  }
  if (!isJsonObject(answer)) throw invalid('an answer that is not an object', text);
  const error = errorInside(answer, reading?.errorCodes);
  if (error !== undefined) throw error;
  const results = answer['results'] ?? answer['data'];
  if (!Array.isArray(results)) throw invalid('an answer without results', text);
  const read = results.map((each: Json) => {
    const index = isJsonObject(each) ? each['index'] : undefined;
    const score = isJsonObject(each) ? (each['relevance_score'] ?? each['score']) : undefined;
    if (typeof index !== 'number' || !Number.isSafeInteger(index) || index < 0 || typeof score !== 'number')
      throw invalid('a result without index or score', text);
    return { index, score };
  });
  return { results: read.toSorted((one, other) => other.score - one.score), usage: usageOf(answer) };
}

export const openaiRerank: RerankFormat = { encodeRequest, decodeResponse };
