/** Places the messages of a skill in the conversation in which it was called. */
import type { JsonObject } from '../../../types/json.ts';
import type { SkillRun } from '../../../types/skill.ts';

/** `first` precedes the earlier conversation; `last` follows it with the images of the call. */
export function conversationMessages(
  [first, last]: readonly [JsonObject, JsonObject],
  { conversation: { before, attached } }: Pick<SkillRun, 'conversation'>,
): readonly JsonObject[] {
  const text = last['content'] ?? '';
  return [first, ...before, attached.length === 0 ? last : { ...last, content: [{ type: 'text', text }, ...attached] }];
}
