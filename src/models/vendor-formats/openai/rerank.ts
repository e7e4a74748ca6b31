/** Reranking in the format of Cohere and Jina, which most other vendors copied. */
import { GatewayError } from '../../../types/errors.ts';
import type { Usage } from '../../../types/chat.ts';
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

/** The names of the list: Cohere and Jina, Voyage, NVIDIA. Text Embeddings Inference returns the list alone. */
const listNames = ['results', 'data', 'rankings'];
const scoreNames = ['relevance_score', 'score', 'logit'];

function resultsIn(answer: Json): readonly Json[] | undefined {
  if (Array.isArray(answer)) return answer as readonly Json[];
  if (!isJsonObject(answer)) return undefined;
  return listNames.map((name) => answer[name]).find((list): list is readonly Json[] => Array.isArray(list));
}

const countsOf = (answer: JsonObject, reading?: Reading): Usage | null => readUsage(answer, { inputOnly: true, reading });

function decodeResponse(body: Buffer, reading?: Reading): RerankAnswer {
  const text = body.toString('utf8');
  let answer: Json;
  try {
    answer = JSON.parse(text) as Json;
  } catch {
    throw invalid('an answer that is not JSON', text);
  }
  const error = isJsonObject(answer) ? errorInside(answer, reading?.errorCodes) : undefined;
  if (error !== undefined) throw error;
  const results = resultsIn(answer);
  if (results === undefined) throw invalid('an answer without results', text);
  const read = results.map((each: Json) => {
    const index = isJsonObject(each) ? each['index'] : undefined;
    const score = isJsonObject(each) ? scoreNames.map((name) => each[name]).find((value) => value !== undefined) : undefined;
    if (typeof index !== 'number' || !Number.isSafeInteger(index) || index < 0 || typeof score !== 'number')
      throw invalid('a result without index or score', text);
    return { index, score };
  });
  const usage = isJsonObject(answer) ? countsOf(answer, reading) : null;
  return { results: read.toSorted((one, other) => other.score - one.score), usage };
}

export const openaiRerank: RerankFormat = { encodeRequest, decodeResponse, countsOf };
