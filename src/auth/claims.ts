/** From claims to a principal, by configuration alone. */
import { type PermissionCode, permissionCodes, type Principal } from '../types/access.ts';
import { GatewayError } from '../types/errors.ts';
import { printableLine } from '../types/printable-text.ts';
import { cappedPermissions, cappedRoles, codesOfRole } from './role-cap.ts';
import type { ClaimMapping, NameMap, PrincipalField } from './issuer.ts';
import { claimAt } from './claim-path.ts';

export type Claims = Readonly<Record<string, unknown>>;

export interface ClaimSources {
  /** The claims of the verified token. */
  readonly token: Claims;
  /** What the service said when asked; null if it was not asked. At each path it counts before the token. */
  readonly lookedUp: Claims | null;
}

/** The latest time that a Date can hold: a token that never ends still has an end that can be shown. */
const lastMoment = 8_640_000_000_000_000;

/** Lists come as arrays, with spaces (OAuth2 scope) or with commas. */
function asList(value: unknown): string[] {
  if (typeof value === 'string') return value.split(/[\s,]+/).filter((part) => part !== '');
  if (typeof value === 'number') return [String(value)];
  if (!Array.isArray(value)) return [];
  return value.flatMap((part: unknown) => ((typeof part === 'string' && part !== '') || typeof part === 'number' ? [String(part)] : []));
}

/** One word, also where it comes as a list of one. */
function asWord(value: unknown): string | null {
  const one: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value;
  return (typeof one === 'string' && one !== '') || typeof one === 'number' ? String(one) : null;
}

function firstWord(sources: ClaimSources, mapping: ClaimMapping, field: PrincipalField): string | null {
  for (const path of mapping.paths[field]) {
    const word = asWord(sources.lookedUp === null ? undefined : claimAt(sources.lookedUp, path)) ?? asWord(claimAt(sources.token, path));
    if (word !== null) return word;
  }
  return null;
}

/** The lists at all paths together. What was looked up replaces the claim of the same path, also by an empty list: rights end at once. */
function allWords(sources: ClaimSources, mapping: ClaimMapping, field: PrincipalField): string[] {
  return mapping.paths[field].flatMap((path) => {
    const said = sources.lookedUp === null ? undefined : claimAt(sources.lookedUp, path);
    return asList(said === undefined ? claimAt(sources.token, path) : said);
  });
}

/** True for a token that a client got for itself (client credentials): there is no person to ask about. */
export function isServiceAccount(token: Claims, mapping: ClaimMapping): boolean {
  const sources: ClaimSources = { token, lookedUp: null };
  const client = firstWord(sources, mapping, 'client');
  return client !== null && client === firstWord(sources, mapping, 'subject');
}

/** The principal of a verified token. `expiresAt` in epoch milliseconds. Throws `token_invalid` without a subject. */
export function mapClaims(
  sources: ClaimSources,
  mapping: ClaimMapping,
  fixed: { readonly issuer: string; readonly expiresAt: number },
): Principal {
  const verified: ClaimSources = { token: sources.token, lookedUp: null };
  // Who it is says the signed token alone.
  const subject = firstWord(verified, mapping, 'subject') ?? firstWord(sources, mapping, 'subject');
  if (subject === null) throw new GatewayError('token_invalid', 'The token does not say who it was issued to.');
  const said = [...new Set(allWords(sources, mapping, 'roles').flatMap((role) => roleOf(role, mapping)))];
  if (said.length === 0 && isServiceAccount(sources.token, mapping)) said.push(mapping.serviceRole);
  const { maxRoles } = mapping;
  const roles = maxRoles === null ? said : cappedRoles(said, maxRoles);
  const permissions =
    mapping.permissionSource === 'oauth'
      ? permissionsIn(allWords(sources, mapping, 'permissions'), mapping)
      : new Set(roles.flatMap(codesOfRole));
  return Object.freeze({
    subject,
    username: printableLine(firstWord(sources, mapping, 'username') ?? subject),
    tenant: mapping.tenant ?? firstWord(sources, mapping, 'tenant') ?? mapping.defaultTenant,
    roles: Object.freeze(roles),
    permissions: maxRoles === null ? permissions : cappedPermissions(permissions, maxRoles),
    client: firstWord(verified, mapping, 'client'),
    issuer: fixed.issuer,
    credential: 'token' as const,
    expiresAt: Math.min(fixed.expiresAt, lastMoment),
  });
}

/** True if a pattern stands for the name; `*` for any letters. No regular expression: whoever writes both could make it run for hours. */
function fits(pattern: string, name: string): boolean {
  const [front = '', ...rest] = pattern.split('*');
  const back = rest.pop();
  if (back === undefined) return name === front;
  if (!name.startsWith(front) || !name.endsWith(back) || name.length < front.length + back.length) return false;
  let from = front.length;
  for (const part of rest) {
    const at = name.indexOf(part, from);
    if (at === -1) return false;
    from = at + part.length;
  }
  return from <= name.length - back.length;
}

/** The mapped name, or none where nothing is mapped to it. */
const mapped = (map: NameMap, names: readonly string[]): string | undefined => {
  const name = names.find((each) => Object.hasOwn(map, each));
  return name === undefined ? undefined : map[name];
};

const without = (prefix: string, name: string): string => (name.startsWith(prefix) ? name.slice(prefix.length) : name);

/** None or one. */
function roleOf(name: string, { rolePrefix, roleMap, rolesOnly, rolesIgnored }: ClaimMapping): readonly string[] {
  if (rolesOnly.length > 0 && !rolesOnly.some((pattern) => fits(pattern, name))) return [];
  if (rolesIgnored.some((pattern) => fits(pattern, name))) return [];
  const bare = without(rolePrefix, name);
  return [mapped(roleMap, [name, bare]) ?? bare];
}

function permissionsIn(said: readonly string[], { permissionPrefix, permissionMap, wildcards }: ClaimMapping): ReadonlySet<PermissionCode> {
  const codes = said.map((name) => {
    const bare = without(permissionPrefix, name);
    return mapped(permissionMap, [name, bare]) ?? bare;
  });
  const exact = new Set(codes);
  const patterns = wildcards ? codes.filter((code) => code.includes('*')).map((code) => code.split(':')) : [];
  return new Set(permissionCodes.filter((code) => exact.has(code) || patterns.some((pattern) => covers(pattern, code))));
}

/** `*` stands for one whole segment and nothing less. */
function covers(pattern: readonly string[], code: PermissionCode): boolean {
  const segments = code.split(':');
  return pattern.length === segments.length && pattern.every((part, index) => part === '*' || part === segments[index]);
}
