/** Token counts of DashScope: in every part of a stream, each time for the whole answer so far. */
import type { Usage } from '../../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';

function count(value: Json | undefined): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

function details(usage: JsonObject, ...names: readonly string[]): JsonObject | undefined {
  return names.map((name) => usage[name]).find(isJsonObject);
}

/** Null where the answer has none. Embeddings and reranking name only a total, which is all input. */
export function readUsage(answer: JsonObject): Usage | null {
  const usage = answer['usage'];
  if (!isJsonObject(usage)) return null;
  const total = count(usage['total_tokens']);
  const output = count(usage['output_tokens']) ?? 0;
  const input = count(usage['input_tokens']) ?? (total === undefined ? undefined : Math.max(0, total - output));
  if (input === undefined) return null;
  const inputDetails = details(usage, 'prompt_tokens_details', 'input_tokens_details');
  const outputDetails = details(usage, 'output_tokens_details', 'completion_tokens_details');
  const cached = count(inputDetails?.['cached_tokens']);
  const reasoning = count(outputDetails?.['reasoning_tokens']);
  return {
    inputTokens: input,
    outputTokens: output,
    ...(cached === undefined ? {} : { cachedInputTokens: cached }),
    ...(reasoning === undefined ? {} : { reasoningTokens: reasoning }),
    ...(inputDetails === undefined ? {} : { inputDetails }),
    ...(outputDetails === undefined ? {} : { outputDetails }),
  };
}
