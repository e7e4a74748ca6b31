/** Token counts in OpenAI's shape. */
import type { Usage } from '../../types/chat.ts';
import type { JsonObject } from '../../types/json.ts';

/** The vendor's details where they are whole numbers, which is all that the published schema allows. */
function details(given: JsonObject | undefined, name: string, known: number | undefined): JsonObject | undefined {
  const kept: Record<string, number> = {};
  for (const [key, value] of Object.entries(given ?? {})) {
    if (typeof value === 'number' && Number.isSafeInteger(value)) kept[key] = value;
  }
  if (known !== undefined) kept[name] ??= known;
  return Object.keys(kept).length === 0 ? undefined : kept;
}

/**
 * OpenAI's usage object. The total is always the sum. An estimate carries `estimated: true`, unless `closed` asks for
 * nothing beyond the published schema. Null, which a booked answer never has, is written as zeros.
 */
export function renderUsage(usage: Usage | null, closed: boolean): JsonObject {
  const input = usage?.inputTokens ?? 0;
  const output = usage?.outputTokens ?? 0;
  const inputDetails = details(usage?.inputDetails, 'cached_tokens', usage?.cachedInputTokens);
  const outputDetails = details(usage?.outputDetails, 'reasoning_tokens', usage?.reasoningTokens);
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    ...(inputDetails === undefined ? {} : { prompt_tokens_details: inputDetails }),
    ...(outputDetails === undefined ? {} : { completion_tokens_details: outputDetails }),
    ...((usage === null || usage.estimated === true) && !closed ? { estimated: true } : {}),
  };
}
