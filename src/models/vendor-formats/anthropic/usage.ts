/** Anthropic's counts. Those of a stream are running totals, said again in parts: the last one that says a number holds. */
import type { Usage } from '../../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';

/** `known` with what `update` says otherwise; never a sum. */
export function mergeUsage(known: JsonObject | null, update: Json | undefined): JsonObject | null {
  if (!isJsonObject(update)) return known;
  const said = Object.entries(update).filter(([key, value]) => (value !== null && value !== undefined) || known?.[key] === undefined);
  return { ...known, ...Object.fromEntries(said) };
}

function count(value: Json | undefined): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? Math.trunc(value) : undefined;
}

/** What was read from the cache, or written to it, is no part of `input_tokens`. */
export function readUsage(usage: JsonObject | null): Usage | null {
  const input = count(usage?.['input_tokens']);
  const output = count(usage?.['output_tokens']);
  if (usage === null || (input === undefined && output === undefined)) return null;
  const cached = count(usage['cache_read_input_tokens']);
  const written = count(usage['cache_creation_input_tokens']);
  const details = usage['output_tokens_details'];
  const thought = isJsonObject(details) ? count(details['thinking_tokens']) : undefined;
  return {
    inputTokens: (input ?? 0) + (cached ?? 0) + (written ?? 0),
    outputTokens: output ?? 0,
    ...(cached === undefined ? {} : { cachedInputTokens: cached }),
    ...(thought === undefined ? {} : { reasoningTokens: thought }),
    vendor: { format: 'anthropic', usage },
  };
}
