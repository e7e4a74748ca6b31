/** Who waits for work apart: nobody holds up the others by giving much of it. */
import { personKey } from '../../../types/access.ts';
import type { SkillRun } from '../../../types/skill.ts';
import type { Waiting } from '../../../scheduling/fair-queue.ts';

export const queueTicketOf = ({ principal, signal }: Pick<SkillRun, 'principal' | 'signal'>): Waiting => ({
  signal,
  who: personKey(principal),
});
