/** Adds up the token counts of an answer that came in parts. */
import type { Usage } from '../types/chat.ts';

/** Vendor-specific details are left out: they belong to one part only. */
export function sumUsage(parts: readonly Usage[]): Usage {
  const sum = (of: (part: Usage) => number | undefined): number => parts.reduce((total, part) => total + (of(part) ?? 0), 0);
  const some = (of: (part: Usage) => number | undefined): boolean => parts.some((part) => of(part) !== undefined);
  const cached = (part: Usage): number | undefined => part.cachedInputTokens;
  const reasoning = (part: Usage): number | undefined => part.reasoningTokens;
  return {
    inputTokens: sum((part) => part.inputTokens),
    outputTokens: sum((part) => part.outputTokens),
    ...(some(cached) ? { cachedInputTokens: sum(cached) } : {}),
    ...(some(reasoning) ? { reasoningTokens: sum(reasoning) } : {}),
    ...(parts.some((part) => part.estimated === true) ? { estimated: true } : {}),
  };
}

/** The sum of the known parts; null when none is known. */
export function sumKnown(parts: readonly (Usage | null)[]): Usage | null {
  const known = parts.filter((part) => part !== null);
  return known.length === 0 ? null : sumUsage(known);
}
