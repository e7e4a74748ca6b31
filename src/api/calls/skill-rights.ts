/** What a caller needs to run a skill beside the right to the skill itself: each thing that its row names. */
import type { SkillSpec } from '../../types/skill-spec.ts';
import { type Caller, requireModel, requireRight, requireServer, requireSkill, toolCapability } from './caller.ts';

/**
 * Throws `permission_denied` or `not_found` before anything is spent, whichever of its tools the model would have chosen. Of a whole server
 * the skill gets what the caller may use; which tools that are is known when it is asked.
 */
export function requireNamed(caller: Caller, { model, tools }: Pick<SkillSpec, 'model' | 'tools'>): void {
  requireModel(caller, model);
  for (const named of tools) {
    const [kind, name = '', ...rest] = named.split('/');
    const tool = rest.join('/');
    if (kind === 'model') requireModel(caller, named.slice('model/'.length));
    else if (kind === 'skill') requireSkill(caller, name);
    else {
      const server = requireServer(caller, name);
      if (tool !== '' && tool !== '*') requireRight(caller, 'use', toolCapability(server, tool));
    }
  }
}
