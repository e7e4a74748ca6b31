/** Stop reasons in Anthropic's format. */
import type { ChatEvent, FinishReason, Usage } from '../../../types/chat.ts';
import type { JsonObject } from '../../../types/json.ts';
import { meaningOf } from '../../finish-reasons.ts';

type Finish = Extract<ChatEvent, { type: 'finish' }>;

const stopReasons: Readonly<Record<FinishReason, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  function_call: 'tool_use',
  content_filter: 'refusal',
};

/** Anthropic's stop reasons with their equivalents in OpenAI's format. */
const meanings: Readonly<Record<string, FinishReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  pause_turn: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool_calls',
  refusal: 'content_filter',
};

/** The end of a whole message: `stop_reason`, `stop_sequence` and Anthropic's other members for the whole answer (`finish.detail`). */
export function renderStop(
  finish: Finish,
  usage: Usage | null,
  content: { readonly tools: boolean; readonly refused: boolean },
): JsonObject {
  const actual: FinishReason = content.tools && finish.reason === 'stop' ? 'tool_calls' : finish.reason;
  // Anthropic's own stop reason for a server-side tool loop that reached its limit.
  const raw = finish.raw === 'max_steps' ? 'pause_turn' : (finish.raw ?? '');
  const fromAnthropic = usage?.vendor?.format === 'anthropic';
  // Anthropic's stop reasons pass unchanged, including newer ones than this table. Another vendor may use the same word.
  const isOwn = meanings[raw] !== undefined || (raw !== '' && meaningOf(raw) === undefined);
  const passes = finish.raw === 'max_steps' || (fromAnthropic ? isOwn : meanings[raw] === actual);
  const reason = passes ? raw : content.refused && actual === 'stop' ? 'refusal' : stopReasons[actual];
  const sequence = finish.detail?.['stop_sequence'];
  return {
    ...(fromAnthropic ? finish.detail : {}),
    stop_reason: reason,
    stop_sequence: typeof sequence === 'string' ? sequence : null,
  };
}
