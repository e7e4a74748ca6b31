/** The decision function. Pure: principal x action x capability -> decision. A test checks its truth table. */
import { isPerson } from '../types/person.ts';
import type { Action, Capability, Decision, GrantIndex, PermissionCode, Principal } from '../types/access.ts';

export function holds(principal: Principal, code: PermissionCode): boolean {
  return principal.permissions.has(code);
}

export function isAdministrator(principal: Principal): boolean {
  return principal.roles.includes('admin');
}

/** True when a role reaches all capabilities of the tenant for the action. Several roles add up. */
function reachesAll(principal: Principal, action: Action): boolean {
  const { roles } = principal;
  if (roles.includes('admin')) return true;
  if (action === 'manage') return false;
  return roles.includes('developer') || (action === 'view' && roles.includes('viewer'));
}

const viewerOnly = (roles: readonly string[]): boolean => roles.every((role) => role === 'viewer');

const unknown: Decision = { allowed: false, status: 404, rule: 'unknown', reason: 'There is no such thing in your tenant.' };
const byRole: Decision = { allowed: true, rule: 'role', reason: 'Your role reaches everything of your tenant for this.' };
const byOwnership: Decision = { allowed: true, rule: 'owner', reason: 'It is yours, and you may manage your own.' };

const denied = (rule: string, reason: string): Decision => ({ allowed: false, status: 403, rule, reason });
const noRole = denied('role', 'You have no role here, so nothing is within your reach. Ask your administrator to give you one.');
const onlyLooks = denied('role', 'A viewer may look, but neither use nor manage. Ask your administrator for the role user.');
const notYours = denied('owner', 'Only its owner or an administrator may manage it. Ask for it to be transferred to you.');

const narrowed = denied('key', 'Your key was not made for this. Its owner can make another, or use a token.');

/** True when a key with `patterns` may use the capability. As in grants, a server covers its tools. */
function withinPatterns(patterns: readonly string[], action: Action, { kind, name, tags }: Capability): boolean {
  const reference = `${kind}/${name}`;
  return patterns.some((pattern) => {
    if (pattern.endsWith('*')) return reference.startsWith(pattern.slice(0, -1));
    if (pattern.startsWith(`${kind}/#`)) return tags.includes(pattern.slice(kind.length + 2));
    if (reference === pattern) return true;
    // A key for one tool may view that its server exists, no more.
    return kind === 'mcp' && (reference.startsWith(`${pattern}/`) || (action === 'view' && pattern.startsWith(`${reference}/`)));
  });
}

const ofAnotherTenant = (owner: string): Decision =>
  denied('shared', `It belongs to the tenant "${owner}", which shares it with yours. Only its administrators change it.`);

/**
 * Decides about what another tenant shares. Roles do not reach it, except that administrators see it. Each use needs a grant of the
 * caller's tenant.
 */
function decideShared(
  principal: Principal,
  action: Action,
  capability: Capability,
  owner: string,
  grants: GrantIndex,
  now: number,
): Decision {
  if (action === 'manage') return ofAnotherTenant(owner);
  if (action === 'view' && isAdministrator(principal)) return byRole;
  if (action === 'use' && viewerOnly(principal.roles)) return onlyLooks;
  const grant = grants.find(principal, action, capability, now);
  if (grant !== null) return { allowed: true, rule: `grant:${grant}`, reason: `The grant "${grant}" gives it to you.` };
  return denied(
    'shared',
    `The tenant "${owner}" shares it, and no grant of your tenant lets you ${action} it. An administrator of your tenant grants it by name.`,
  );
}

/**
 * Decides whether `principal` may do `action` with `capability`. Null stands for an unknown capability; one of another tenant counts as
 * unknown. The code says which action is allowed, the role how far it reaches. Ownership counts only with the manage code. Grants add the
 * rest. `now` in epoch milliseconds applies to grants that expire. `rule` is one of unknown, key, code, role, owner, shared, grant or
 * `grant:<id>`.
 */
export function decide(principal: Principal, action: Action, capability: Capability | null, grants: GrantIndex, now: number): Decision {
  if (capability === null || capability.tenant !== principal.tenant) return unknown;
  if (principal.within !== undefined && !withinPatterns(principal.within, action, capability)) return narrowed;
  const code: PermissionCode = `llm:${capability.kind}:${action}`;
  if (!principal.permissions.has(code))
    return denied('code', `You do not have the permission ${code}. Ask your administrator for it, then fetch a new token.`);
  if (principal.roles.length === 0) return noRole;
  if (capability.sharedBy !== undefined) return decideShared(principal, action, capability, capability.sharedBy, grants, now);
  if (reachesAll(principal, action)) return byRole;
  // Neither a grant nor ownership lets a viewer use or manage.
  if (viewerOnly(principal.roles)) return onlyLooks;
  if (isPerson(principal, capability.owner) && principal.permissions.has(`llm:${capability.kind}:manage`)) return byOwnership;
  if (action === 'manage') return notYours;
  const grant = grants.find(principal, action, capability, now);
  if (grant !== null) return { allowed: true, rule: `grant:${grant}`, reason: `The grant "${grant}" gives it to you.` };
  return denied('grant', `You have no grant to ${action} it. Ask its owner or an administrator for one.`);
}
