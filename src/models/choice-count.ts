/** The number of choices that the caller requested. */
import type { ChatBody } from '../types/chat.ts';

/** Undefined when the caller did not set it. */
export function requestedChoices(body: ChatBody): number | undefined {
  return typeof body['n'] === 'number' ? body['n'] : undefined;
}

export function choicesOf(body: ChatBody): number {
  return requestedChoices(body) ?? 1;
}
