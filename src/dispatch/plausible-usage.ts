/** Checks the plausibility of a vendor's counts. For implausible ones the caller of `plausible` estimates instead. */
import { optionalCounts } from '../telemetry/sum-usage.ts';
import type { Usage } from '../types/chat.ts';

/** Above any model: the largest known context window holds ten million tokens. */
const mostTokens = 50_000_000;
/** A week of sound, and far more of any other unit than one call can request. */
const mostUnits = 604_800_000;
const mostCost = 1_000_000;

const inputParts = ['cachedInputTokens', 'cacheWriteTokens', 'cacheWrite1hTokens', 'audioInputTokens', 'imageInputTokens'] as const;

const isCount = (value: number, most: number): boolean => Number.isSafeInteger(value) && value >= 0 && value <= most;

/** The model's own limits, if known. */
export interface ModelBounds {
  readonly contextTokens: number | undefined;
  /** The number of requested choices. */
  readonly answers: number;
}

/** `note` is called for each refused count. Null when input or output is implausible. */
export function plausible(usage: Usage, bounds: ModelBounds | null, note: (text: string) => void): Usage | null {
  const context = bounds?.contextTokens ?? mostTokens;
  const most = Math.min(mostTokens, context);
  for (const name of ['inputTokens', 'outputTokens'] as const) {
    if (isCount(usage[name], name === 'inputTokens' ? most : Math.min(mostTokens, context * (bounds?.answers ?? 1)))) continue;
    note(`usage estimated: the vendor counts ${usage[name]} tokens of ${name === 'inputTokens' ? 'input' : 'output'}`);
    return null;
  }
  let wrong: Partial<Record<keyof Usage, undefined>> | null = null;
  for (const name of optionalCounts) {
    const value = usage[name];
    if (value === undefined || isCount(value, name.endsWith('Tokens') ? mostTokens : mostUnits)) continue;
    note(`usage: the vendor counts ${value} ${name}`);
    (wrong ??= {})[name] = undefined;
  }
  // A part of the input is no larger than all of it.
  for (const name of inputParts) {
    const value = usage[name];
    if (value === undefined || value <= usage.inputTokens || (wrong !== null && name in wrong)) continue;
    note(`usage: the vendor counts ${value} ${name} of ${usage.inputTokens} tokens of input`);
    (wrong ??= {})[name] = undefined;
  }
  const reported = usage.reportedCost?.amount;
  if (reported !== undefined && !(reported >= 0 && reported <= mostCost)) {
    note(`usage: the vendor names a cost of ${reported}`);
    (wrong ??= {}).reportedCost = undefined;
  }
  if (wrong === null) return usage;
  // The vendor's own object would repeat the refused counts.
  const plausibleCounts = Object.entries(usage).filter(([name]) => !(name in wrong) && name !== 'vendor' && !name.endsWith('Details'));
  return Object.fromEntries(plausibleCounts) as unknown as Usage;
}
