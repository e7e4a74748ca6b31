/** The words of several rounds of a tool loop in one text: what a model says before it calls a tool, and what it says after. */
import type { ChatEvent } from '../../../types/chat.ts';

/** Whether words were said: not yet, in a round before, or in this one. */
export type RoundWords = 'none' | 'before' | 'now';

export const betweenRounds = '\n\n';

/** The model has said what it had to say, and its tools run. */
export function endsRound({ step }: Extract<ChatEvent, { type: 'step' }>): boolean {
  return step.kind !== 'progress' && step.status === 'started';
}
