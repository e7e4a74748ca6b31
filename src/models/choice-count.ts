/** How many answers the caller asked for at once. */
import type { ChatBody } from '../types/chat.ts';

/** Undefined where the caller does not say. */
export function askedChoices(body: ChatBody): number | undefined {
  return typeof body['n'] === 'number' ? body['n'] : undefined;
}

export function choicesOf(body: ChatBody): number {
  return askedChoices(body) ?? 1;
}
