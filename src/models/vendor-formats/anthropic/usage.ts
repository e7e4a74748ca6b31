/** Anthropic's counts. Counts of a stream are running totals in several parts; the last value of each count applies. */
import type { Usage } from '../../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { CountPaths } from '../../../types/wire-format.ts';
import { otherCounts, readCounts, serviceTierOf, uncountedSide } from '../../usage-counts.ts';

/** `known` with the values of `update`; never a sum. */
export function mergeUsage(known: JsonObject | null, update: Json | undefined): JsonObject | null {
  if (!isJsonObject(update)) return known;
  const reported = Object.entries(update).filter(([key, value]) => (value !== null && value !== undefined) || known?.[key] === undefined);
  return { ...known, ...Object.fromEntries(reported) };
}

const paths: CountPaths = {
  inputTokens: ['input_tokens'],
  outputTokens: ['output_tokens'],
  cachedInputTokens: ['cache_read_input_tokens'],
  cacheWriteTokens: ['cache_creation_input_tokens'],
  cacheWrite1hTokens: ['cache_creation.ephemeral_1h_input_tokens'],
  reasoningTokens: ['output_tokens_details.thinking_tokens'],
  searches: ['server_tool_use.web_search_requests'],
};
const short: CountPaths = { cacheWriteTokens: ['cache_creation.ephemeral_5m_input_tokens'] };

/** Tokens read from the cache or written to it are not part of `input_tokens`. */
export function readUsage(usage: JsonObject | null): Usage | null {
  if (usage === null) return null;
  const counts = readCounts(usage, paths);
  const { inputTokens: input, outputTokens: output, cacheWrite1hTokens: hour } = counts;
  if ((input ?? -1) < 0 && (output ?? -1) < 0) return null;
  // Some gateways send the counts by cache lifetime only.
  const minutes = counts.cacheWriteTokens === undefined ? readCounts(usage, short).cacheWriteTokens : undefined;
  const written = counts.cacheWriteTokens ?? (minutes === undefined && hour === undefined ? undefined : (minutes ?? 0) + (hour ?? 0));
  return {
    ...otherCounts(counts),
    inputTokens: (input ?? 0) + (counts.cachedInputTokens ?? 0) + (written ?? 0),
    outputTokens: output ?? 0,
    ...(written === undefined ? {} : { cacheWriteTokens: written }),
    ...serviceTierOf(usage['service_tier']),
    ...uncountedSide(input ?? counts.cachedInputTokens ?? written, output),
    vendor: { format: 'anthropic', usage },
  };
}
