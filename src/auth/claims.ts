/** Maps claims to a principal, by configuration alone. */
import { type PermissionCode, permissionCodes, type Principal, roles as standardRoles } from '../types/access.ts';
import { GatewayError } from '../types/errors.ts';
import { printableLine } from '../types/printable-text.ts';
import { cappedPermissions, cappedRoles, codesOfRole } from './role-cap.ts';
import type { ClaimMapping, NameMap, PrincipalField } from './issuer.ts';
import { claimAt } from './claim-path.ts';
import { isStorable, requireIdentity } from './identity-text.ts';

export type Claims = Readonly<Record<string, unknown>>;

export interface ClaimSources {
  /** The claims of the verified token. */
  readonly token: Claims;
  /** The service's answers to look-ups; null when it was not asked. They replace the token's claims for the same fields. */
  readonly lookedUp: Claims | null;
}

/** The latest time that a Date can hold. It is the expiry of a token that never expires. */
const lastMoment = 8_640_000_000_000_000;

/** Lists are arrays, or texts separated by spaces (OAuth2 scope) or commas. */
function asList(value: unknown): string[] {
  if (typeof value === 'string') return value.split(/[\s,]+/).filter((part) => part !== '');
  if (typeof value === 'number') return [String(value)];
  if (!Array.isArray(value)) return [];
  return value.flatMap((part: unknown) => ((typeof part === 'string' && part !== '') || typeof part === 'number' ? [String(part)] : []));
}

/** One word, also from a list with one entry. */
function asWord(value: unknown): string | null {
  const one: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value;
  return (typeof one === 'string' && one !== '') || typeof one === 'number' ? String(one) : null;
}

function firstWord(sources: ClaimSources, mapping: ClaimMapping, field: PrincipalField): string | null {
  for (const path of mapping.lookupPaths[field] ?? []) {
    const word = asWord(claimAt(sources.lookedUp, path));
    if (word !== null) return word;
  }
  for (const path of mapping.paths[field]) {
    const word = asWord(sources.lookedUp === null ? undefined : claimAt(sources.lookedUp, path)) ?? asWord(claimAt(sources.token, path));
    if (word !== null) return word;
  }
  return null;
}

/** The tenant that the service answered; null when it answered that there is none. Otherwise the token's. */
function tenantOf(sources: ClaimSources, mapping: ClaimMapping): string | null {
  if (!wasLookedUp(sources.lookedUp, mapping, 'tenant')) return firstWord(sources, mapping, 'tenant');
  for (const path of lookupPathsOf(mapping, 'tenant')) {
    const word = asWord(claimAt(sources.lookedUp, path));
    if (word !== null) return word;
  }
  return null;
}

const lookupPathsOf = ({ paths, lookupPaths }: ClaimMapping, field: PrincipalField): readonly string[] =>
  lookupPaths[field] ?? paths[field];

/** True when the service answered the field, even with an empty list. */
export function wasLookedUp(lookedUp: Claims | null, mapping: ClaimMapping, field: PrincipalField): boolean {
  return lookedUp !== null && lookupPathsOf(mapping, field).some((path) => claimAt(lookedUp, path) !== undefined);
}

interface List {
  /** True for a list of codes and roles together. */
  readonly isMixed: boolean;
  readonly words: readonly string[];
}

/** The list at each path. When the service answered the field, the token's claims for it are ignored, so that revoked rights end at once. */
function listsOf(sources: ClaimSources, mapping: ClaimMapping, field: PrincipalField): List[] {
  const fromService = wasLookedUp(sources.lookedUp, mapping, field);
  const pathsOf = (each: PrincipalField): readonly string[] => (fromService ? lookupPathsOf(mapping, each) : mapping.paths[each]);
  const codes = pathsOf('permissions');
  return pathsOf(field).map((path) => ({
    isMixed: codes.includes(path),
    words: asList(claimAt(fromService ? sources.lookedUp : sources.token, path)),
  }));
}

/** True for a token from the client credentials grant. It has no person to look up. */
export function isServiceAccount(token: Claims, mapping: ClaimMapping): boolean {
  const sources: ClaimSources = { token, lookedUp: null };
  const client = firstWord(sources, mapping, 'client');
  if (client === null) return false;
  if (client === firstWord(sources, mapping, 'subject')) return true;
  const { serviceUsername: prefix } = mapping;
  if (prefix === null) return false;
  // Keycloak: the subject is a UUID. A service account's token names the client again, and no person. A client without the scope
  // `service_account` has no such claim; then the user name tells, in a token without the session that a person's token has.
  const clientAgain = asWord(token['client_id']) ?? asWord(token['clientId']);
  const username = asWord(token['preferred_username']);
  const hasServiceName = username === `${prefix}${client.toLowerCase()}`;
  if (clientAgain === null) return hasServiceName && asWord(token['sid']) === null;
  return clientAgain === client && (username === null || hasServiceName);
}

/** The principal of a verified token. `expiresAt` in epoch milliseconds. Throws `token_invalid` without a subject, and as `requireIdentity`. */
export function mapClaims(
  sources: ClaimSources,
  mapping: ClaimMapping,
  fixed: { readonly issuer: string; readonly expiresAt: number },
): Principal {
  const verified: ClaimSources = { token: sources.token, lookedUp: null };
  // Only the signed token determines the subject.
  const subject = firstWord(verified, mapping, 'subject') ?? firstWord(sources, mapping, 'subject');
  if (subject === null) throw new GatewayError('token_invalid', 'The token does not say who it was issued to.');
  const found = rolesIn(listsOf(sources, mapping, 'roles'), mapping);
  const isService = found.length === 0 && isServiceAccount(sources.token, mapping);
  if (isService) found.push(mapping.serviceRole);
  const { maxRoles } = mapping;
  const roles = maxRoles === null ? found : cappedRoles(found, maxRoles);
  const client = firstWord(verified, mapping, 'client');
  const permissions =
    mapping.permissionSource === 'oauth'
      ? codesFrom(sources, mapping, found)
      : new Set(roles.flatMap((role) => (isService ? codesOfRole('user') : codesOfRole(role))));
  return Object.freeze({
    subject: requireIdentity('subject', subject),
    username: printableLine(firstWord(sources, mapping, 'username') ?? subject),
    tenant: requireIdentity('tenant', mapping.tenant ?? tenantOf(sources, mapping) ?? mapping.defaultTenant),
    roles: Object.freeze(roles),
    permissions: maxRoles === null ? permissions : cappedPermissions(permissions, maxRoles),
    client: client === null ? null : requireIdentity('client', client),
    issuer: fixed.issuer,
    ...(isServiceAccount(sources.token, mapping) ? { isService: true } : {}),
    credential: 'token' as const,
    expiresAt: Math.min(fixed.expiresAt, lastMoment),
  });
}

/** What is known of a person: the last known rights, or current ones. */
export type PersonRights = Pick<Principal, 'username' | 'tenant' | 'roles' | 'permissions'>;

/** The current rights of a person: what the service answered, and the last known of what it did not. */
export function mapPerson(lookedUp: Claims, known: PersonRights, mapping: ClaimMapping): PersonRights {
  const sources: ClaimSources = { token: {}, lookedUp };
  const { maxRoles, permissionSource } = mapping;
  const hasRoles = wasLookedUp(lookedUp, mapping, 'roles');
  const found = hasRoles ? rolesIn(listsOf(sources, mapping, 'roles'), mapping) : known.roles;
  const roles = maxRoles === null ? found : cappedRoles(found, maxRoles);
  const permissionsOf = (): ReadonlySet<PermissionCode> => {
    if (permissionSource === 'role_defaults') return hasRoles ? new Set(roles.flatMap(codesOfRole)) : known.permissions;
    if (wasLookedUp(lookedUp, mapping, 'permissions')) return codesFrom(sources, mapping, found);
    return hasRoles && isStandard(found) ? cappedPermissions(known.permissions, found) : known.permissions;
  };
  const permissions = permissionsOf();
  return {
    username: printableLine(firstWord(sources, mapping, 'username') ?? known.username),
    tenant: wasLookedUp(lookedUp, mapping, 'tenant')
      ? requireIdentity('tenant', mapping.tenant ?? tenantOf(sources, mapping) ?? mapping.defaultTenant)
      : known.tenant,
    roles,
    permissions: maxRoles === null ? permissions : cappedPermissions(permissions, maxRoles),
  };
}

const isStandard = (roles: readonly string[]): boolean => roles.every((role) => (standardRoles as readonly string[]).includes(role));

/** True if the pattern matches the name; `*` matches any characters. Without a regular expression, because a crafted pattern and name could run for hours. */
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

/** Returns what the map has for the first of `names` that it contains; undefined when it contains none. */
const mapped = (map: NameMap, names: readonly string[]): string | undefined => {
  const name = names.find((each) => Object.hasOwn(map, each));
  return name === undefined ? undefined : map[name];
};

const without = (prefix: string, name: string): string => (name.startsWith(prefix) ? name.slice(prefix.length) : name);

/** Recognizes Spring's role prefix in lists that contain codes too. */
const looksLikeCode = (name: string, { permissionPrefix, permissionMap }: ClaimMapping): boolean =>
  /[:*]/.test(name) ||
  (permissionPrefix !== '' && name.startsWith(permissionPrefix)) ||
  mapped(permissionMap, [name, without(permissionPrefix, name)]) !== undefined;

/** The role names of a list. A list that is also read for codes: codes are not roles, and when roles have a prefix, only those count. */
function roleNames({ isMixed, words }: List, mapping: ClaimMapping): readonly string[] {
  if (!isMixed) return words.filter((name) => !(permissionCodes as readonly string[]).includes(name));
  const { rolePrefix, roleMap } = mapping;
  const isMarked = (name: string): boolean => rolePrefix !== '' && name.startsWith(rolePrefix);
  const hasMarks = words.some(isMarked);
  return words.filter((name) => {
    if (isMarked(name) || mapped(roleMap, [name]) !== undefined || (standardRoles as readonly string[]).includes(name)) return true;
    return !hasMarks && !looksLikeCode(name, mapping);
  });
}

function rolesIn(lists: readonly List[], mapping: ClaimMapping): string[] {
  return [...new Set(lists.flatMap((list) => roleNames(list, mapping)).flatMap((name) => roleOf(name, mapping)))];
}

/** The permission codes. When the service returned roles but no codes, the token's codes may be older than the roles. Each of the four roles is then limited to its default codes. */
function codesFrom(sources: ClaimSources, mapping: ClaimMapping, roles: readonly string[]): ReadonlySet<PermissionCode> {
  const codes = permissionsIn(
    listsOf(sources, mapping, 'permissions').flatMap(({ words }) => words),
    mapping,
  );
  const rolesAreNewer = wasLookedUp(sources.lookedUp, mapping, 'roles') && !wasLookedUp(sources.lookedUp, mapping, 'permissions');
  return rolesAreNewer && isStandard(roles) ? cappedPermissions(codes, roles) : codes;
}

/** At most one role. */
function roleOf(name: string, { rolePrefix, roleMap, rolesOnly, rolesIgnored }: ClaimMapping): readonly string[] {
  if (rolesOnly.length > 0 && !rolesOnly.some((pattern) => fits(pattern, name))) return [];
  if (rolesIgnored.some((pattern) => fits(pattern, name))) return [];
  const bare = without(rolePrefix, name);
  const role = mapped(roleMap, [name, bare]) ?? bare;
  // No grant, limit or team can name such a role.
  return isStorable(role) ? [role] : [];
}

function permissionsIn(
  names: readonly string[],
  { permissionPrefix, permissionMap, wildcards }: ClaimMapping,
): ReadonlySet<PermissionCode> {
  const codes = names.map((name) => {
    const bare = without(permissionPrefix, name);
    return mapped(permissionMap, [name, bare]) ?? bare;
  });
  const exact = new Set(codes);
  const patterns = wildcards ? codes.filter((code) => code.includes('*')).map((code) => code.split(':')) : [];
  return new Set(permissionCodes.filter((code) => exact.has(code) || patterns.some((pattern) => covers(pattern, code))));
}

/** `*` matches exactly one whole segment. */
function covers(pattern: readonly string[], code: PermissionCode): boolean {
  const segments = code.split(':');
  return pattern.length === segments.length && pattern.every((part, index) => part === '*' || part === segments[index]);
}
