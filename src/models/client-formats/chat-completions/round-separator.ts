/** Separates the texts of several tool-loop rounds in one answer: the text before a tool call and the text after it. */
import type { ChatEvent } from '../../../types/chat.ts';

/** Where text was emitted: nowhere yet, in an earlier round, or in the current one. */
export type TextState = 'none' | 'before' | 'now';

export const betweenRounds = '\n\n';

/** True between two messages of one answer. */
export function separatesMessages({ format, event }: Extract<ChatEvent, { type: 'vendor' }>): boolean {
  return format === 'openai-responses' && event['type'] === 'message';
}

/** True when the model's turn is over and its tools run. */
export function endsRound({ step }: Extract<ChatEvent, { type: 'step' }>): boolean {
  return step.kind !== 'progress' && step.status === 'started';
}
