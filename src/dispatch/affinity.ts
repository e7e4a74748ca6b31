/** The affinity key of a call: calls of one conversation share it. */
import type { ChatBody } from '../types/chat.ts';
import { personKey, type Principal } from '../types/access.ts';

const openingLength = 2_048;

/** The caller's own key when the request names one, otherwise derived from its first messages. Never shared between callers. */
export function affinityOf(principal: Principal, body: ChatBody): string {
  const who = personKey(principal);
  const key = body['prompt_cache_key'] ?? body['safety_identifier'] ?? body['user'];
  if (typeof key === 'string' && key !== '') return `${who}\n${key}`;
  const opening = body.messages.slice(0, 2).map((message) => JSON.stringify(message['content'] ?? null).slice(0, openingLength));
  return `${who}\n${opening.join('\n')}`;
}
