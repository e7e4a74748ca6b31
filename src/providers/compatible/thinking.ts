/** Converts OpenAI's `reasoning_effort` to each vendor's own fields. */
import { isJsonObject, type Json, type JsonObject } from '../../types/json.ts';
import type { UpstreamCall } from '../../types/provider.ts';
import type { ThinkingSwitch } from './dialect.ts';

/** Effort levels, from lowest to highest. */
const scale = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'];
/** Thinking tokens by effort, for vendors that take a budget. */
const budgets: Readonly<Record<string, number>> = { minimal: 1_024, low: 2_048, medium: 8_192, high: 24_576, xhigh: 32_768 };

function nearest(effort: string, words: readonly string[]): string | undefined {
  const wanted = scale.indexOf(effort);
  if (wanted < 0 || words.includes(effort)) return effort;
  return words.toSorted((one, other) => Math.abs(scale.indexOf(one) - wanted) - Math.abs(scale.indexOf(other) - wanted))[0];
}

/** The body with `reasoning_effort` in the vendor's fields; unchanged when the caller already used those fields. */
export function switchThinking(body: JsonObject, style: ThinkingSwitch, call: UpstreamCall, vendor: string): JsonObject {
  const { reasoning_effort: effort, ...rest } = body;
  if (typeof effort !== 'string') return body;
  const on = effort !== 'none';
  const unless = (field: string, value: Json): JsonObject => (rest[field] === undefined ? { ...rest, [field]: value } : rest);
  switch (style.by) {
    case 'effort': {
      const word = nearest(effort, style.words);
      if (word !== effort) call.warn(`reasoning_effort is ${word}: ${vendor} has no ${effort}`);
      return { ...rest, reasoning_effort: word };
    }
    case 'thinking-type':
      if (rest['thinking'] !== undefined) return rest;
      return {
        ...rest,
        thinking: { type: on ? (style.on ?? 'enabled') : 'disabled' },
        ...(on && style.effort === true ? { reasoning_effort: effort } : {}),
      };
    case 'enable-thinking': {
      const switched = unless('enable_thinking', on);
      const budget = budgets[effort];
      return !style.budget || budget === undefined || rest['thinking_budget'] !== undefined
        ? switched
        : { ...switched, thinking_budget: budget };
    }
    case 'chat-template': {
      const given = isJsonObject(rest['chat_template_kwargs']) ? rest['chat_template_kwargs'] : {};
      // Two names for one switch: Qwen and GLM templates read the first, DeepSeek and Granite templates the second.
      return { ...rest, chat_template_kwargs: { enable_thinking: on, thinking: on, ...given } };
    }
    case 'reasoning-object':
      return unless('reasoning', on ? { effort } : { enabled: false });
    case 'none':
      call.warn(`reasoning_effort left out: ${vendor} has none`);
      return rest;
  }
}
