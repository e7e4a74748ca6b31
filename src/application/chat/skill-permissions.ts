/** The permissions for running a skill beside the right to the skill itself: each thing that its row names. */
import type { SkillSpec } from '../../types/skill-spec.ts';
import { serverToolRequests } from '../../extensions/tool-loop/tool-requests.ts';
import type { ChatBody } from '../../types/chat.ts';
import { GatewayError } from '../../types/errors.ts';
import type { SkillEntry } from '../../types/snapshot.ts';
import { allows } from '../skills/allowed-tools.ts';
import { requireOwnCredentials } from '../tools/invoke-tool.ts';
import { type Caller, requireModel, requireRight, requireServer, requireSkill, toolCapability } from '../caller.ts';

/**
 * Throws `permission_denied` or `not_found` before any cost, for every tool that the model could choose. Of a whole server the skill gets
 * the tools that the caller may use; they are known when the server is listed.
 */
export function requireNamed(caller: Caller, { model, tools }: Pick<SkillSpec, 'model' | 'tools'>, seen = new Set<string>()): void {
  requireModel(caller, model);
  for (const named of tools) {
    const [kind, name = '', ...rest] = named.split('/');
    const tool = rest.join('/');
    if (kind === 'model') requireModel(caller, named.slice('model/'.length));
    else if (kind === 'skill') {
      // The permissions of inner skills, recursively, each skill once. Cycles are refused when they run.
      if (seen.has(name)) continue;
      seen.add(name);
      const inner = requireSkill(caller, name);
      // An inner skill that runs as itself needs no further rights of the caller.
      if (inner.runsAs === undefined) requireNamed(caller, inner.spec, seen);
    } else {
      const server = requireServer(caller, name);
      requireOwnCredentials(caller, server);
      if (tool !== '' && tool !== '*') requireRight(caller, 'use', toolCapability(server, tool));
    }
  }
}

/** Throws `permission_denied` for a server-side tool that the skill's row does not name. Input of the skill may have added it. */
export function requireListed({ name, spec }: SkillEntry, body: ChatBody): void {
  for (const wanted of serverToolRequests(body)) {
    const targets =
      wanted.type === 'skill'
        ? [`skill/${wanted.name}`]
        : // A whole server is allowed where the row names it whole: then any tool of it is.
          (wanted.allowedTools ?? ['*']).map((tool) => `mcp/${wanted.serverLabel}/${tool}`);
    const stranger = targets.find((target) => !allows(spec, target));
    if (stranger !== undefined)
      throw new GatewayError(
        'permission_denied',
        `The skill "${name}" may not use ${stranger.slice(0, 200)}: its row does not name it under tools.`,
        { param: `tools[${wanted.index}]` },
      );
  }
}
