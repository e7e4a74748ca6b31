/** Bedrock's counts: tokens read from the cache or written to it are not part of `inputTokens`. */
import type { Usage } from '../../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { CountPaths } from '../../../types/wire-format.ts';
import { otherCounts, readCounts, uncountedSide } from '../../usage-counts.ts';

const paths: CountPaths = {
  inputTokens: ['inputTokens'],
  outputTokens: ['outputTokens'],
  cachedInputTokens: ['cacheReadInputTokens', 'cacheReadInputTokenCount'],
  cacheWriteTokens: ['cacheWriteInputTokens', 'cacheWriteInputTokenCount'],
};

/** Tokens written to the cache for an hour: `cacheDetails` has one entry per lifetime. */
function writtenForAnHour(usage: JsonObject): number | undefined {
  const { cacheDetails } = usage;
  if (!Array.isArray(cacheDetails)) return undefined;
  const entry = cacheDetails.find((each: Json) => isJsonObject(each) && each['ttl'] === '1h');
  const tokens = isJsonObject(entry) ? entry['inputTokens'] : undefined;
  return typeof tokens === 'number' ? tokens : undefined;
}

export function readUsage(usage: Json | undefined): Usage | null {
  if (!isJsonObject(usage)) return null;
  const counts = readCounts(usage, paths);
  const { inputTokens: input, outputTokens: output } = counts;
  if (input === undefined && output === undefined) return null;
  const hour = writtenForAnHour(usage);
  return {
    ...otherCounts(counts),
    inputTokens: (input ?? 0) + (counts.cachedInputTokens ?? 0) + (counts.cacheWriteTokens ?? 0),
    outputTokens: output ?? 0,
    ...(hour === undefined ? {} : { cacheWrite1hTokens: hour }),
    ...uncountedSide(input ?? counts.cachedInputTokens ?? counts.cacheWriteTokens, output),
    vendor: { format: 'bedrock', usage },
  };
}
