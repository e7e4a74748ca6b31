/** Bedrock's counts: what came from the cache, or went into it, is no part of `inputTokens`. */
import type { Usage } from '../../../types/chat.ts';
import { isJsonObject, type Json } from '../../../types/json.ts';

function count(value: Json | undefined): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? Math.trunc(value) : undefined;
}

export function readUsage(usage: Json | undefined): Usage | null {
  if (!isJsonObject(usage)) return null;
  const input = count(usage['inputTokens']);
  const output = count(usage['outputTokens']);
  if (input === undefined && output === undefined) return null;
  const cached = count(usage['cacheReadInputTokens']);
  const written = count(usage['cacheWriteInputTokens']);
  return {
    inputTokens: (input ?? 0) + (cached ?? 0) + (written ?? 0),
    outputTokens: output ?? 0,
    ...(cached === undefined ? {} : { cachedInputTokens: cached }),
    vendor: { format: 'bedrock', usage },
  };
}
