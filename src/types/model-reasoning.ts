/** What is known of a model's reasoning: whether it thinks, its levels of effort, and whether its thoughts go back to it. */
import { z } from 'zod';

/** `with_tools`: the thoughts of a turn that called tools go back with the next request. `never`: they are left out. */
export const thoughtsReturns = ['with_tools', 'never'] as const;
export type ThoughtsReturn = (typeof thoughtsReturns)[number];

/** A missing member is unknown. */
export interface ModelReasoning {
  /** False: the model does not think. `always`: its thinking cannot be switched off. */
  readonly thinking?: boolean | 'always';
  /** The values of `reasoning_effort`. Empty: thinking can be switched, but has no levels. */
  readonly efforts?: readonly string[];
  /** True when `efforts` describes this model at this vendor. Otherwise the vendor may accept fewer values. */
  readonly vendorEfforts?: boolean;
  readonly thoughtsReturn?: ThoughtsReturn;
}

/** Effort levels, from lowest to highest. */
const scale = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'];

/** The one of `words` nearest to this level; the level itself when it is unknown or `words` is empty. */
export function nearestEffort(effort: string, words: readonly string[]): string {
  const wanted = scale.indexOf(effort);
  if (wanted < 0 || words.includes(effort)) return effort;
  const distance = (word: string): number => Math.abs(scale.indexOf(word) - wanted);
  // Less thinking than asked for is better than none.
  const some = effort === 'minimal' ? words : words.filter((word) => word !== 'none');
  return (some.length === 0 ? words : some).toSorted((one, other) => distance(one) - distance(other))[0] ?? effort;
}

/** The fields of a deployment's row. */
export const reasoningFields = {
  thinking: z
    .union([z.boolean(), z.literal('always')])
    .optional()
    .describe(
      'The model reasons before it answers. false: reasoning_effort is left out. always: reasoning cannot be disabled. Default: by the catalogue or the model family.',
    ),
  efforts: z
    .array(z.string().min(1).max(20))
    .max(20)
    .optional()
    .describe('The values of reasoning_effort that the vendor takes; the nearest one is sent. An empty list: thinking has no levels.'),
  thoughts_return: z
    .enum(thoughtsReturns)
    .optional()
    .describe(
      'with_tools: the reasoning of a turn with tool calls is sent back to the model in the next request; never: it is left out. Default: by the catalogue or the model family.',
    ),
};
