/** The view of all servers, with the caller's skills beside the tools of MCP servers. */
import type { McpView } from '../../extensions/mcp/gate/mcp-view.ts';
import { isJsonObject } from '../../types/json.ts';
import { GatewayError } from '../../types/errors.ts';
import type { McpServerEntry } from '../../types/snapshot.ts';
import { may, promptCapability, requireSkill } from '../caller.ts';
import { skillsAsTools } from '../skills/invoke-skill.ts';
import type { Place } from './visible-items.ts';
import { skillListings } from './skill-listing.ts';
import { readSkillResource, skillResources } from './skill-resources.ts';
import { claimantsOf } from './name-owners.ts';
import { findSkill, type VisibleSkill, visibleSkills, skillPrompt, skillPrompts } from './skill-tools.ts';
import { abortSignalOf } from '../../scheduling/cancellation.ts';

/** Null when no skill has a prompt of this name. Throws `invalid_request` for a bare name that a server's prompt has too. */
async function findPrompt(view: McpView, { services, caller }: Place, name: unknown): Promise<VisibleSkill | null> {
  const found = typeof name === 'string' ? findSkill(visibleSkills(caller), name) : undefined;
  if (found?.skill.instance.messages === undefined) return null;
  if (found.shown === name) return found;
  // Waits for servers that have never answered.
  await view.offer();
  const ownName = found.skill.name;
  const claimants = claimantsOf(services, caller.view, 'prompt', (pin) => pin.name === ownName);
  const maySee = (server: McpServerEntry): boolean => may(caller, 'view', promptCapability(server, ownName));
  if (!claimants.some(({ server }) => server === null || maySee(server))) return found;
  throw new GatewayError(
    'invalid_request',
    `A skill and a server have the prompt "${ownName}"; use ${found.shown}, or the server's with its prefix.`,
  );
}

export function withSkillsView(view: McpView, place: Place): McpView {
  const { services, caller } = place;
  const callSkill = skillsAsTools(services, caller);
  return {
    ...view,
    async offer() {
      const offer = await view.offer();
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
      if (found === undefined || found.shown !== name) return view.call(name, input, context);
      const signal = AbortSignal.any([context.signal, abortSignalOf(caller.signal)]);
      return callSkill(requireSkill(caller, found.skill.name), input, { parent: null, signal, approved: true });
    },
    async ask(question, params, context) {
      const file = question === 'resources/read' ? readSkillResource(caller, params['uri']) : null;
      if (file !== null) return file;
      const found = question === 'prompts/get' ? await findPrompt(view, place, params['name']) : null;
      if (found === null) return view.ask(question, params, context);
      return skillPrompt(found, isJsonObject(params['arguments']) ? params['arguments'] : {});
    },
  };
}
