/** One caller in the middle of one call: who, with which configuration, and how long they stay. */
import { decide } from '../auth/decide.ts';
import { didYouMean } from '../text/did-you-mean.ts';
import type { Action, Capability, Principal } from '../types/access.ts';
import { GatewayError, type ErrorCode } from '../types/errors.ts';
import type { McpServerEntry, ModelEntry, SkillEntry, TenantView } from '../types/snapshot.ts';
import type { ActingRights } from './skills/acting.ts';
import type { RequiredPermissions } from './required-permissions.ts';

export interface Caller {
  /** Who calls: for whom runs are booked and limits count. */
  readonly principal: Principal;
  /** Whose rights decide inside a skill that runs as itself; left out: the caller's own. */
  readonly acting?: ActingRights;
  readonly requestId: string;
  readonly revision: number;
  readonly view: TenantView;
  /** The grants as they are at this moment: a call may take minutes, and each thing that it comes to is decided then. */
  readonly grants: () => TenantView['grants'];
  /** Aborted as soon as the caller's connection is gone. */
  readonly signal: AbortSignal;
  /** Whether answers from before are welcome (`cache-control`). */
  readonly cacheControl: string | undefined;
  /** Their token, for an exchange; null for a key or a cookie. A function, so that no log can hold it. */
  readonly subjectToken: () => string | null;
  /** What the call was found to have the right to, so far. */
  readonly needs: RequiredPermissions;
  /** Adds headers to the answer, as long as it has not begun. */
  tell(headers: Readonly<Record<string, string>>): void;
}

type Asker = Pick<Caller, 'principal' | 'view'> & Partial<Pick<Caller, 'needs' | 'grants' | 'acting'>>;

const deciding = ({ acting, principal }: Asker): Principal => acting?.principal ?? principal;

const grantsOf = ({ grants, view }: Asker): TenantView['grants'] => grants?.() ?? view.grants;

export function may(caller: Asker, action: Action, capability: Capability): boolean {
  return decide(deciding(caller), action, capability, grantsOf(caller), Date.now()).allowed;
}

/** Throws `permission_denied` with the rule that decided. */
export function requireRight(caller: Asker, action: Action, capability: Capability): void {
  const decision = decide(deciding(caller), action, capability, grantsOf(caller), Date.now());
  if (decision.allowed) {
    caller.needs?.add(action, capability, caller.acting);
    return;
  }
  if (decision.status === 404) throw notFound('not_found', capability.kind, capability.name, []);
  if (caller.acting === undefined)
    throw new GatewayError('permission_denied', `You may not ${action} ${capability.kind}/${capability.name}: ${decision.reason}`);
  const { skill, principal } = caller.acting;
  const sentence = `The skill "${skill}" runs with its own list and the right of ${principal.subject}, who published it, and that does not reach`;
  throw new GatewayError('permission_denied', `${sentence} ${capability.kind}/${capability.name}. Ask an administrator.`);
}

const words: Readonly<Record<string, string>> = { mcp: 'MCP server' };

function notFound(code: ErrorCode, kind: string, name: string, permitted: Iterable<string>, meant?: string): GatewayError {
  const hint = meant === undefined ? didYouMean(name, [...permitted]) : ` Did you mean "${meant}"?`;
  return new GatewayError(code, `There is no ${words[kind] ?? kind} named "${name.slice(0, 200)}" for you.${hint}`, { param: kind });
}

function viewable<T extends { readonly capability: Capability }>(caller: Asker, entries: ReadonlyMap<string, T>): string[] {
  return [...entries].filter(([, entry]) => may(caller, 'view', entry.capability)).map(([name]) => name);
}

/** The model, if the caller may do `action` with it. Near matches are named only among those that the caller may see. */
export function requireModel(caller: Asker, name: string, action: Action = 'use'): ModelEntry {
  const model = caller.view.models.get(name);
  if (model === undefined) {
    // Whoever knows a skill by its own name may not know yet that it is a model under another.
    const isSkill = viewable(caller, caller.view.skills).includes(name);
    throw notFound('model_not_found', 'model', name, viewable(caller, caller.view.models), isSkill ? `skill/${name}` : undefined);
  }
  requireRight(caller, action, model.capability);
  return model;
}

/** A model that the configuration names as a fallback: null unless it exists and the caller may use it. */
export function fallbackFor(caller: Asker): (name: string) => ModelEntry | null {
  return (name) => {
    const model = caller.view.models.get(name);
    return model !== undefined && may(caller, 'use', model.capability) ? model : null;
  };
}

function noSkill(caller: Asker, name: string): GatewayError {
  const visible = viewable(caller, caller.view.skills);
  const [base = '', version] = name.split('@');
  if (version === undefined || !visible.includes(base)) return notFound('not_found', 'skill', name, visible);
  const published = [...caller.view.skillVersions.keys()].filter((each) => each.startsWith(`${base}@`) && !each.endsWith('@draft'));
  const there =
    published.length === 0 ? 'none is published' : `there are ${published.map((each) => each.slice(base.length + 1)).join(', ')}`;
  return new GatewayError('not_found', `The skill "${base}" has no version "${version.slice(0, 50)}"; ${there}.`, { param: 'skill' });
}

/** By its name, or by `<name>@<version>` for one version, whatever is live. */
export function requireSkill(caller: Asker, name: string, action: Action = 'use'): SkillEntry {
  const skill = name.includes('@') ? caller.view.skillVersions.get(name) : caller.view.skills.get(name);
  if (skill === undefined) throw noSkill(caller, name);
  // A draft is for those who work on it.
  requireRight(caller, name.endsWith('@draft') ? 'manage' : action, skill.capability);
  return skill;
}

/** The server, if it exists; rights are decided per tool. */
export function requireServer(caller: Asker, name: string): McpServerEntry {
  const server = caller.view.mcpServers.get(name);
  if (server === undefined) throw notFound('not_found', 'mcp', name, viewable(caller, caller.view.mcpServers));
  return server;
}

/** One tool of a server as a thing to decide about: it has its server's owner, tenant and tags. */
export function toolCapability(server: McpServerEntry, tool: string): Capability {
  return { ...server.capability, name: `${server.name}/${tool}` };
}

/** A prompt or a resource as a thing to decide about. Tools' names hold no colon, so that no grant on a tool reaches these. */
export function promptCapability({ capability, name }: McpServerEntry, prompt: string): Capability {
  return { ...capability, name: `${name}/prompt:${prompt}` };
}
export function resourceCapability({ capability, name }: McpServerEntry, uri: string): Capability {
  return { ...capability, name: `${name}/resource:${uri}` };
}
