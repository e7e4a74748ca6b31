/** The queue ticket of a caller for subprocess work, for fairness between callers. */
import { personKey } from '../../../types/access.ts';
import type { SkillRun } from '../../../types/skill.ts';
import type { Waiting } from '../../../scheduling/fair-queue.ts';

export const queueTicketOf = ({ principal, signal }: Pick<SkillRun, 'principal' | 'signal'>): Waiting => ({
  signal,
  who: personKey(principal),
});
