/** Converts Gemini's log probabilities to OpenAI's shape. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';

function token(candidate: Json | undefined): JsonObject | undefined {
  if (!isJsonObject(candidate) || typeof candidate['token'] !== 'string' || typeof candidate['logProbability'] !== 'number')
    return undefined;
  return { token: candidate['token'], logprob: candidate['logProbability'], bytes: [...Buffer.from(candidate['token'])] };
}

/** The log probabilities of one part of the answer; undefined without any. */
export function readLogprobs(value: Json | undefined): JsonObject | undefined {
  if (!isJsonObject(value) || !Array.isArray(value['chosenCandidates'])) return undefined;
  const top = Array.isArray(value['topCandidates']) ? (value['topCandidates'] as readonly Json[]) : [];
  const content = (value['chosenCandidates'] as readonly Json[]).flatMap((chosen, index) => {
    const read = token(chosen);
    const others = top[index];
    const candidates = isJsonObject(others) && Array.isArray(others['candidates']) ? (others['candidates'] as readonly Json[]) : [];
    return read === undefined ? [] : [{ ...read, top_logprobs: candidates.map(token).filter((each) => each !== undefined) }];
  });
  return content.length === 0 ? undefined : { content, refusal: null };
}
