/** Token counts in Anthropic's shape. */
import type { Usage } from '../../../types/chat.ts';
import type { JsonObject } from '../../../types/json.ts';

/** Anthropic's own usage object unchanged, otherwise one built from the counts. Anthropic counts cache reads and writes separately from `input_tokens`. An estimate carries `estimated: true`. */
export function renderMessagesUsage(usage: Usage | null): JsonObject {
  if (usage?.vendor?.format === 'anthropic') return usage.vendor.usage;
  const input = usage?.inputTokens ?? 0;
  const cached = Math.min(usage?.cachedInputTokens ?? 0, input);
  const written = Math.min(usage?.cacheWriteTokens ?? 0, input - cached);
  const hour = Math.min(usage?.cacheWrite1hTokens ?? 0, written);
  return {
    input_tokens: input - cached - written,
    cache_creation_input_tokens: written,
    cache_read_input_tokens: cached,
    ...(written === 0 ? {} : { cache_creation: { ephemeral_5m_input_tokens: written - hour, ephemeral_1h_input_tokens: hour } }),
    output_tokens: usage?.outputTokens ?? 0,
    ...(usage?.reasoningTokens === undefined ? {} : { output_tokens_details: { thinking_tokens: usage.reasoningTokens } }),
    ...(usage === null || usage.estimated === true ? { estimated: true } : {}),
  };
}
