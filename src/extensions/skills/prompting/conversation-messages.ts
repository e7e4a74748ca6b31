/** What a skill says to its model, within the conversation in which it was called. */
import type { JsonObject } from '../../../types/json.ts';
import type { SkillRun } from '../../../types/skill.ts';

/** `first` comes before all that was said earlier, `last` after it, with the pictures that came with it. */
export function conversationMessages(
  [first, last]: readonly [JsonObject, JsonObject],
  { conversation: { before, attached } }: Pick<SkillRun, 'conversation'>,
): readonly JsonObject[] {
  const text = last['content'] ?? '';
  return [first, ...before, attached.length === 0 ? last : { ...last, content: [{ type: 'text', text }, ...attached] }];
}
