/** Why an answer ended, in Anthropic's words. */
import type { ChatEvent, FinishReason, Usage } from '../../../types/chat.ts';
import type { JsonObject } from '../../../types/json.ts';
import { meaningOf } from '../../finish-reasons.ts';

type Finish = Extract<ChatEvent, { type: 'finish' }>;

const words: Readonly<Record<FinishReason, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  function_call: 'tool_use',
  content_filter: 'refusal',
};

/** Anthropic's own words with what each means in OpenAI's. */
const own: Readonly<Record<string, FinishReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  pause_turn: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool_calls',
  refusal: 'content_filter',
};

/** Members of a whole message: `stop_reason`, `stop_sequence` and what else Anthropic said of the answer as a whole (`finish.detail`). */
export function renderStop(finish: Finish, usage: Usage | null, said: { readonly tools: boolean; readonly refused: boolean }): JsonObject {
  const honest: FinishReason = said.tools && finish.reason === 'stop' ? 'tool_calls' : finish.reason;
  // The very word that Anthropic has for a loop of its own tools that came to its limit.
  const raw = finish.raw === 'max_steps' ? 'pause_turn' : (finish.raw ?? '');
  const fromAnthropic = usage?.vendor?.format === 'anthropic';
  // Anthropic's own word passes, also one that is newer than this table; another vendor's may happen to say the same.
  const isOwn = own[raw] !== undefined || (raw !== '' && meaningOf(raw) === undefined);
  const kept = finish.raw === 'max_steps' || (fromAnthropic ? isOwn : own[raw] === honest);
  const reason = kept ? raw : said.refused && honest === 'stop' ? 'refusal' : words[honest];
  const sequence = finish.detail?.['stop_sequence'];
  return {
    ...(fromAnthropic ? finish.detail : {}),
    stop_reason: reason,
    stop_sequence: typeof sequence === 'string' ? sequence : null,
  };
}
