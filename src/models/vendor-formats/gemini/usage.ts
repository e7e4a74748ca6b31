/** Token counts of Gemini: thoughts are counted apart from the answer, and are output all the same. */
import type { Usage } from '../../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';

function count(value: Json | undefined): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** Null where the answer has none: most parts of a stream at Vertex name only the kind of traffic. */
export function readUsage(answer: JsonObject): Usage | null {
  const usage = answer['usageMetadata'];
  if (!isJsonObject(usage)) return null;
  const prompt = count(usage['promptTokenCount']);
  const total = count(usage['totalTokenCount']);
  if (prompt === undefined && total === undefined) return null;
  const input = (prompt ?? 0) + (count(usage['toolUsePromptTokenCount']) ?? 0);
  const thoughts = count(usage['thoughtsTokenCount']);
  const candidates = count(usage['candidatesTokenCount']) ?? Math.max(0, (total ?? input) - input - (thoughts ?? 0));
  const cached = count(usage['cachedContentTokenCount']);
  return {
    inputTokens: input,
    outputTokens: candidates + (thoughts ?? 0),
    ...(cached === undefined ? {} : { cachedInputTokens: cached }),
    ...(thoughts === undefined ? {} : { reasoningTokens: thoughts }),
  };
}
