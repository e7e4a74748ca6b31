/** Adds up the counts of an answer that came in parts. */
import type { Usage } from '../types/chat.ts';

/** The members of a usage that are counts, and add up. */
export const optionalCounts = [
  'cachedInputTokens',
  'cacheWriteTokens',
  'cacheWrite1hTokens',
  'reasoningTokens',
  'audioInputTokens',
  'audioOutputTokens',
  'imageInputTokens',
  'imageOutputTokens',
  'pictures',
  'milliseconds',
  'characters',
  'pages',
  'searches',
] as const satisfies readonly (keyof Usage)[];

/** Vendor-specific details are left out: they belong to one part only. */
export function sumUsage(parts: readonly Usage[]): Usage {
  const sum: { -readonly [Name in keyof Usage]: Usage[Name] } = { inputTokens: 0, outputTokens: 0 };
  for (const part of parts) {
    sum.inputTokens += part.inputTokens;
    sum.outputTokens += part.outputTokens;
    for (const name of optionalCounts) {
      const count = part[name];
      if (count !== undefined) sum[name] = (sum[name] ?? 0) + count;
    }
    if (part.estimated === true) sum.estimated = true;
  }
  return sum;
}

/** The sum of the known parts; null when none is known. */
export function sumKnown(parts: readonly (Usage | null)[]): Usage | null {
  const known = parts.filter((part) => part !== null);
  return known.length === 0 ? null : sumUsage(known);
}
