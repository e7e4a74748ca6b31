/** Which calls belong together: those of one conversation, by what it began with. */
import type { ChatBody } from '../types/chat.ts';
import { personKey, type Principal } from '../types/access.ts';

const openingLength = 2_048;

/** The caller's own key if the request names one, else its first words; never shared between callers. */
export function affinityOf(principal: Principal, body: ChatBody): string {
  const who = personKey(principal);
  const key = body['prompt_cache_key'] ?? body['safety_identifier'] ?? body['user'];
  if (typeof key === 'string' && key !== '') return `${who}\n${key}`;
  const opening = body.messages.slice(0, 2).map((message) => JSON.stringify(message['content'] ?? null).slice(0, openingLength));
  return `${who}\n${opening.join('\n')}`;
}
