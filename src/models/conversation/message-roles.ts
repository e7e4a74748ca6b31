/** Roles that only some OpenAI-compatible vendors support. */
import type { ChatBody } from '../../types/chat.ts';
import { messageRoles } from '../../types/message-roles.ts';
import type { EncodeTarget } from '../../types/wire-format.ts';
import { unsupported } from './request-fields.ts';

/** Throws `unsupported_parameter` for the first message whose role another format lacks. Otherwise its text would be lost or read as the user's. */
export function refuseUnknownRoles({ messages }: ChatBody, target: EncodeTarget): void {
  const place = messages.findIndex(({ role }) => !messageRoles.has(role));
  if (place === -1) return;
  const role = JSON.stringify(messages[place]?.['role'] ?? null).slice(0, 60);
  throw unsupported(target, `messages[${place}].role`, `has no role ${role}`, 'Use system, user, assistant or tool.');
}
