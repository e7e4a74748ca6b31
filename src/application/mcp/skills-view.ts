/** The door to everything, with the caller's skills beside the tools of MCP servers. */
import type { McpView } from '../../extensions/mcp/gate/mcp-view.ts';
import { isJsonObject } from '../../types/json.ts';
import { requireSkill } from '../caller.ts';
import { skillsAsTools } from '../skills/invoke-skill.ts';
import { findVisible, type Place, visiblePrompts } from './visible-items.ts';
import { skillListings } from './skill-listing.ts';
import { readSkillResource, skillResources } from './skill-resources.ts';
import { findSkill, type VisibleSkill, visibleSkills, skillPrompt, skillPrompts } from './skill-tools.ts';

/** A server's prompt comes first where a bare name is both. Null for a name of no skill's prompt. */
async function findPrompt(door: McpView, place: Place, name: unknown): Promise<VisibleSkill | null> {
  const found = typeof name === 'string' ? findSkill(visibleSkills(place.caller), name) : undefined;
  if (found?.skill.instance.messages === undefined) return null;
  if (found.shown === name) return found;
  // A server that never answered yet is given its chance.
  await door.offer();
  return findVisible(visiblePrompts(place), found.skill.name) === undefined ? found : null;
}

export function withSkillsView(door: McpView, place: Place): McpView {
  const { services, caller } = place;
  const callSkill = skillsAsTools(services, caller);
  return {
    ...door,
    async offer() {
      const offer = await door.offer();
      const skills = visibleSkills(caller);
      return {
        ...offer,
        tools: [...offer.tools, ...skills.map(({ definition }) => definition)],
        prompts: [...offer.prompts, ...skillPrompts(skills)],
        resources: [...offer.resources, ...skillResources(skills)],
      };
    },
    skills: skillListings(caller, services.logger),
    async call(name, input, context) {
      const found = findSkill(visibleSkills(caller), name);
      if (found === undefined || found.shown !== name) return door.call(name, input, context);
      const signal = AbortSignal.any([context.signal, caller.signal]);
      return callSkill(requireSkill(caller, found.skill.name), input, { parent: null, signal, approved: true });
    },
    async ask(question, params, context) {
      const file = question === 'resources/read' ? readSkillResource(caller, params['uri']) : null;
      if (file !== null) return file;
      const found = question === 'prompts/get' ? await findPrompt(door, place, params['name']) : null;
      if (found === null) return door.ask(question, params, context);
      return skillPrompt(found, isJsonObject(params['arguments']) ? params['arguments'] : {});
    },
  };
}
