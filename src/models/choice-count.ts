/** How many answers the caller asked for at once. */
import type { ChatBody } from '../types/chat.ts';

export function choicesOf(body: ChatBody): number {
  return typeof body['n'] === 'number' ? body['n'] : 1;
}
