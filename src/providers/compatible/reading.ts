/** The row options that describe a vendor's answers, and the answer reading that they give. */
import { z } from 'zod';
import type { Reading, ThinkTags } from '../../types/wire-format.ts';

export const finishReasonsOption = () =>
  z
    .record(z.string().max(100), z.enum(['stop', 'length', 'tool_calls', 'content_filter', 'failure']))
    .default({})
    .describe('What the vendor\'s own finish reasons mean, such as { "tired": "length" }; * for any other word that Pailou does not know.');

/** Undefined when the answers follow their format. `options`: the row's options, added to the facts of the kind. */
export function readingOf(
  known: Pick<Reading, 'finishReasons' | 'errorCodes' | 'thinkTags' | 'citations' | 'usage' | 'costCurrency'>,
  options: { readonly finish_reasons?: Reading['finishReasons']; readonly think_tags?: ThinkTags | undefined },
): { readonly reading?: Reading } {
  const finishReasons = { ...known.finishReasons, ...options.finish_reasons };
  const thinkTags = options.think_tags ?? known.thinkTags;
  const reading: Reading = {
    ...(Object.keys(finishReasons).length === 0 ? {} : { finishReasons }),
    ...(known.citations === undefined ? {} : { citations: known.citations }),
    ...(known.usage === undefined ? {} : { usage: known.usage }),
    ...(known.costCurrency === undefined ? {} : { costCurrency: known.costCurrency }),
    ...(known.errorCodes === undefined ? {} : { errorCodes: known.errorCodes }),
    ...(thinkTags === undefined || thinkTags === false ? {} : { thinkTags }),
  };
  return Object.keys(reading).length === 0 ? {} : { reading };
}
