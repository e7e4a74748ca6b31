/** Token counts in Anthropic's shape. */
import type { Usage } from '../../../types/chat.ts';
import type { JsonObject } from '../../../types/json.ts';

/**
 * Anthropic's own usage object as it came, else one made from the counts. Anthropic counts what came from its cache apart from
 * `input_tokens`. An estimate carries `estimated: true`.
 */
export function renderMessagesUsage(usage: Usage | null): JsonObject {
  if (usage?.vendor?.format === 'anthropic') return usage.vendor.usage;
  const cached = Math.min(usage?.cachedInputTokens ?? 0, usage?.inputTokens ?? 0);
  return {
    input_tokens: (usage?.inputTokens ?? 0) - cached,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cached,
    output_tokens: usage?.outputTokens ?? 0,
    ...(usage?.reasoningTokens === undefined ? {} : { output_tokens_details: { thinking_tokens: usage.reasoningTokens } }),
    ...(usage === null || usage.estimated === true ? { estimated: true } : {}),
  };
}
