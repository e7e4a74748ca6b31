/** Token counts as OpenAI's kin send them. */
import type { Usage } from '../../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';

function count(...values: readonly (Json | undefined)[]): number | undefined {
  const found = values.find((value): value is number => typeof value === 'number' && Number.isFinite(value) && value >= 0);
  return found === undefined ? undefined : Math.round(found);
}

/** The usage of an answer or chunk, or null. Fields in order of trust: OpenAI's place first, then those of Moonshot, DeepSeek, SGLang, Groq. */
export function readUsage(answer: JsonObject): Usage | null {
  const groq = answer['x_groq'];
  const usage = answer['usage'] ?? (isJsonObject(groq) ? groq['usage'] : undefined);
  if (!isJsonObject(usage)) return null;
  const input = count(usage['prompt_tokens'], usage['input_tokens']);
  const total = count(usage['total_tokens']);
  if (input === undefined && total === undefined) return null;
  const output = count(usage['completion_tokens'], usage['output_tokens']) ?? Math.max(0, (total ?? 0) - (input ?? 0));
  const inputDetails = isJsonObject(usage['prompt_tokens_details']) ? usage['prompt_tokens_details'] : undefined;
  const outputDetails = isJsonObject(usage['completion_tokens_details']) ? usage['completion_tokens_details'] : undefined;
  const cached = count(inputDetails?.['cached_tokens'], usage['cached_tokens'], usage['prompt_cache_hit_tokens']);
  const reasoning = count(outputDetails?.['reasoning_tokens'], usage['reasoning_tokens']);
  return {
    inputTokens: input ?? Math.max(0, (total ?? 0) - output),
    outputTokens: output,
    ...(cached === undefined ? {} : { cachedInputTokens: cached }),
    ...(reasoning === undefined ? {} : { reasoningTokens: reasoning }),
    ...(inputDetails === undefined ? {} : { inputDetails }),
    ...(outputDetails === undefined ? {} : { outputDetails }),
  };
}
