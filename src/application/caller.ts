/** The caller of one call: principal, configuration, current grants and connection. */
import { decide } from '../auth/decide.ts';
import { didYouMean } from '../text/did-you-mean.ts';
import type { Action, Capability, Decision, Principal } from '../types/access.ts';
import type { CallSignal } from '../types/call-signal.ts';
import { GatewayError, type ErrorCode } from '../types/errors.ts';
import type { McpServerEntry, ModelEntry, SkillEntry, TenantView } from '../types/snapshot.ts';
import type { ActingRights } from './skills/acting-principal.ts';
import type { RequiredPermissions } from './required-permissions.ts';

export interface Caller {
  /** The principal for records and limits. */
  readonly principal: Principal;
  /** The rights that decide inside a skill that runs as itself. Absent: the caller's own. */
  readonly acting?: ActingRights;
  readonly requestId: string;
  readonly revision: number;
  /** The caller's place in a distributed trace (W3C Trace Context). */
  readonly traceparent?: string | undefined;
  readonly view: TenantView;
  /** Returns the current grants. Each decision calls it again, because a call may take minutes. */
  readonly grants: () => TenantView['grants'];
  /** Aborted when the caller disconnects. */
  readonly signal: CallSignal;
  /** The caller's `cache-control` header, which may forbid cached answers. */
  readonly cacheControl: string | undefined;
  /** The caller's token, for an exchange; null for a key or a cookie. A function, so that it never appears in a log. */
  readonly subjectToken: () => string | null;
  /** The permissions that the call has required so far. */
  readonly needs: RequiredPermissions;
  /** Sets response headers, unless the response has begun. */
  setHeaders(headers: Readonly<Record<string, string>>): void;
}

type PermissionSubject = Pick<Caller, 'principal' | 'view'> & Partial<Pick<Caller, 'needs' | 'grants' | 'acting'>>;

const decidingPrincipal = ({ acting, principal }: PermissionSubject): Principal => acting?.principal ?? principal;

const grantsOf = ({ grants, view }: PermissionSubject): TenantView['grants'] => grants?.() ?? view.grants;

function decided(caller: PermissionSubject, action: Action, capability: Capability): Decision {
  return decide(decidingPrincipal(caller), action, capability, grantsOf(caller), Date.now());
}

/** What a caller may use is also found in lists, whatever code or grant allows the use. The control API decides about `view` alone. */
export function may(caller: PermissionSubject, action: Action, capability: Capability): boolean {
  return decided(caller, action, capability).allowed || (action === 'view' && decided(caller, 'use', capability).allowed);
}

/** Throws `permission_denied` with the reason of the decision. */
export function requireRight(caller: PermissionSubject, action: Action, capability: Capability): void {
  const decision = decided(caller, action, capability);
  if (!decision.allowed && action === 'view' && may(caller, 'use', capability)) {
    caller.needs?.add('use', capability, caller.acting);
    return;
  }
  if (decision.allowed) {
    caller.needs?.add(action, capability, caller.acting);
    return;
  }
  if (decision.status === 404) throw notFound('not_found', capability.kind, capability.name, []);
  if (caller.acting === undefined)
    throw new GatewayError('permission_denied', `You may not ${action} ${capability.kind}/${capability.name}: ${decision.reason}`);
  const { skill, principal } = caller.acting;
  const sentence = `The skill "${skill}" runs with its own list and the rights of ${principal.subject}, who published it, which do not include`;
  throw new GatewayError('permission_denied', `${sentence} ${capability.kind}/${capability.name}. Ask an administrator.`);
}

const kindNames: Readonly<Record<string, string>> = { mcp: 'MCP server' };

function notFound(code: ErrorCode, kind: string, name: string, permitted: Iterable<string>, suggestion?: string): GatewayError {
  const hint = suggestion === undefined ? didYouMean(name, [...permitted]) : ` Did you mean "${suggestion}"?`;
  return new GatewayError(code, `There is no ${kindNames[kind] ?? kind} named "${name.slice(0, 200)}" for you.${hint}`, { param: kind });
}

function viewable<T extends { readonly capability: Capability }>(caller: PermissionSubject, entries: ReadonlyMap<string, T>): string[] {
  return [...entries].filter(([, entry]) => may(caller, 'view', entry.capability)).map(([name]) => name);
}

/** The model, if the caller may do `action` with it. Suggests only names that the caller may view. */
export function requireModel(caller: PermissionSubject, name: string, action: Action = 'use'): ModelEntry {
  const model = caller.view.models.get(name);
  if (model === undefined) {
    // Suggests `skill/<name>` when the unknown model is the name of a skill.
    const isSkill = viewable(caller, caller.view.skills).includes(name);
    throw notFound('model_not_found', 'model', name, viewable(caller, caller.view.models), isSkill ? `skill/${name}` : undefined);
  }
  requireRight(caller, action, model.capability);
  return model;
}

/** The configured fallback model. Null when it does not exist or the caller may not use it. */
export function fallbackFor(caller: PermissionSubject): (name: string) => ModelEntry | null {
  return (name) => {
    const model = caller.view.models.get(name);
    return model !== undefined && may(caller, 'use', model.capability) ? model : null;
  };
}

function noSkill(caller: PermissionSubject, name: string): GatewayError {
  const visible = viewable(caller, caller.view.skills);
  const [base = '', version] = name.split('@');
  if (version === undefined || !visible.includes(base)) return notFound('not_found', 'skill', name, visible);
  const published = [...caller.view.skillVersions.keys()].filter((each) => each.startsWith(`${base}@`) && !each.endsWith('@draft'));
  const there =
    published.length === 0 ? 'none is published' : `there are ${published.map((each) => each.slice(base.length + 1)).join(', ')}`;
  return new GatewayError('not_found', `The skill "${base}" has no version "${version.slice(0, 50)}"; ${there}.`, { param: 'skill' });
}

/** By name, or by `<name>@<version>` for any one version. */
export function requireSkill(caller: PermissionSubject, name: string, action: Action = 'use'): SkillEntry {
  const skill = name.includes('@') ? caller.view.skillVersions.get(name) : caller.view.skills.get(name);
  if (skill === undefined) throw noSkill(caller, name);
  // A draft requires the right to manage the skill.
  requireRight(caller, name.endsWith('@draft') ? 'manage' : action, skill.capability);
  return skill;
}

/** The server, if it exists. Rights are decided per tool. */
export function requireServer(caller: PermissionSubject, name: string): McpServerEntry {
  const server = caller.view.mcpServers.get(name);
  if (server === undefined) throw notFound('not_found', 'mcp', name, viewable(caller, caller.view.mcpServers));
  return server;
}

/** The capability of one tool. It has its server's owner, tenant and tags. */
export function toolCapability(server: McpServerEntry, tool: string): Capability {
  return { ...server.capability, name: `${server.name}/${tool}` };
}

/** The capability of a prompt or resource. Tool names contain no colon, so that no grant on a tool reaches these. */
export function promptCapability({ capability, name }: McpServerEntry, prompt: string): Capability {
  return { ...capability, name: `${name}/prompt:${prompt}` };
}
export function resourceCapability({ capability, name }: McpServerEntry, uri: string): Capability {
  return { ...capability, name: `${name}/resource:${uri}` };
}
