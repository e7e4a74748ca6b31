/** The door to everything, with the caller's skills beside the tools of MCP servers. */
import type { McpDoor } from '../../extensions/mcp/gate/door.ts';
import { isJsonObject } from '../../types/json.ts';
import { type Caller, requireSkill } from '../calls/caller.ts';
import { skillCaller } from '../calls/invoke-skill.ts';
import type { CallServices } from '../calls/services.ts';
import { readSkillResource, skillResources } from './skill-resources.ts';
import { findSkill, shownSkills, skillPrompt, skillPrompts } from './skill-tools.ts';

/** Tools of servers come first where a bare name is both. */
export function withSkills(door: McpDoor, services: CallServices, caller: Caller): McpDoor {
  const call = skillCaller(services, caller);
  return {
    ...door,
    async offer() {
      const offer = await door.offer();
      const skills = shownSkills(caller);
      return {
        ...offer,
        tools: [...offer.tools, ...skills.map(({ definition }) => definition)],
        prompts: [...offer.prompts, ...skillPrompts(skills)],
        resources: [...offer.resources, ...skillResources(skills)],
      };
    },
    async call(name, input, context) {
      const found = findSkill(shownSkills(caller), name);
      if (found === undefined || found.shown !== name) return door.call(name, input, context);
      const signal = AbortSignal.any([context.signal, caller.signal]);
      return call(requireSkill(caller, found.skill.name), input, { parent: null, signal, approved: true });
    },
    async ask(question, params, context) {
      const file = question === 'resources/read' ? readSkillResource(shownSkills(caller), params['uri']) : null;
      if (file !== null) return file;
      const name = params['name'];
      const found = question === 'prompts/get' && typeof name === 'string' ? findSkill(shownSkills(caller), name) : undefined;
      if (found === undefined || found.shown !== name || found.skill.instance.messages === undefined)
        return door.ask(question, params, context);
      return skillPrompt(found, isJsonObject(params['arguments']) ? params['arguments'] : {});
    },
  };
}
