/** Completes the counts of a chat: what a vendor counts outside its parts, and the parts that it does not count. */
import type { Usage } from '../../../types/chat.ts';
import type { JsonObject } from '../../../types/json.ts';
import type { Reading } from '../../../types/wire-format.ts';
import { estimateTokens } from '../../estimate-usage.ts';
import type { Counts } from '../../usage-counts.ts';
import { countsIn } from './usage.ts';

/**
 * The tokens that only the total contains: xAI counts reasoning outside the output, and some relays count cached tokens outside the
 * input. Null when the parts are the total, or the rest is neither of these.
 */
function outsideParts(usage: Usage, { inputTokens: input, outputTokens: output, totalTokens: total }: Counts): Partial<Usage> | null {
  if (input === undefined || output === undefined || total === undefined) return null;
  const rest = total - input - output;
  if (rest <= 0) return null;
  if (rest === usage.reasoningTokens) return { outputTokens: output + rest };
  const { cachedInputTokens: cached = 0, cacheWriteTokens: written = 0 } = usage;
  return rest === cached + written ? { inputTokens: input + rest } : null;
}

/** `answer`: the part of the answer with the counts. `said`: all generated text. A part that is not counted is estimated. */
export function completeUsage(usage: Usage, answer: JsonObject, said: () => string, reading: Reading | undefined): Usage {
  const counts = countsIn(answer, reading);
  const outside = outsideParts(usage, counts);
  if (outside !== null) return { ...usage, ...outside };
  const { inputTokens: input, outputTokens: output, totalTokens: total } = counts;
  if (output === undefined && (total === undefined || input === undefined || total <= input)) {
    const generated = estimateTokens(said());
    const estimated = { ...usage, estimated: true };
    if (input !== undefined) return { ...estimated, outputTokens: generated };
    // A total alone includes the output.
    if (total === undefined) return { ...estimated, inputTokens: reading?.estimateInput?.() ?? 0, outputTokens: generated };
    return { ...estimated, inputTokens: Math.max(0, total - generated), outputTokens: Math.min(total, generated) };
  }
  if (input === undefined && total === undefined) return { ...usage, inputTokens: reading?.estimateInput?.() ?? 0, estimated: true };
  return usage;
}
