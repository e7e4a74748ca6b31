/** From claims to a principal, by configuration alone. */
import { type PermissionCode, permissionCodes, type Principal } from '../types/access.ts';
import { GatewayError } from '../types/errors.ts';
import type { ClaimMapping, PrincipalField } from './issuer.ts';

type Claims = Readonly<Record<string, unknown>>;

/** Own properties only: a claim named `__proto__` leads nowhere. */
function valueAt(claims: Claims, path: string): unknown {
  let value: unknown = claims;
  for (const key of path.split(/(?<!\\)\./)) {
    const name = key.replaceAll('\\.', '.');
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

/** Lists come as arrays, with spaces (OAuth2 scope) or with commas. */
function asList(value: unknown): string[] {
  if (typeof value === 'string') return value.split(/[\s,]+/).filter((part) => part !== '');
  if (typeof value === 'number') return [String(value)];
  if (Array.isArray(value))
    return value.flatMap((part: unknown) => (typeof part === 'string' || typeof part === 'number' ? [String(part)] : []));
  return [];
}

const roleDefaults: Readonly<Record<string, readonly PermissionCode[]>> = {
  admin: permissionCodes,
  developer: permissionCodes,
  user: permissionCodes.filter((code) => !code.endsWith(':manage')),
  viewer: permissionCodes.filter((code) => code.endsWith(':view')),
};

/**
 * `sources` are looked at in order (the token's claims, then what was looked up): for single values the first that has one,
 * for lists all together. Throws `token_invalid` without a subject.
 */
export function mapClaims(sources: readonly Claims[], mapping: ClaimMapping, fixed: { issuer: string; expiresAt: number }): Principal {
  const first = (field: PrincipalField): string | null => {
    for (const path of mapping.paths[field]) {
      for (const claims of sources) {
        const value = valueAt(claims, path);
        if ((typeof value === 'string' && value !== '') || typeof value === 'number') return String(value);
      }
    }
    return null;
  };
  const all = (field: PrincipalField): string[] =>
    mapping.paths[field].flatMap((path) => sources.flatMap((claims) => asList(valueAt(claims, path))));

  const subject = first('subject');
  if (subject === null) throw new GatewayError('token_invalid', 'The token does not say who it was issued to.');
  const roles = [...new Set(all('roles').map((role) => roleOf(role, mapping)))];
  return Object.freeze({
    subject,
    username: first('username') ?? subject,
    tenant: first('tenant') ?? mapping.defaultTenant,
    roles: Object.freeze(roles),
    permissions:
      mapping.permissionSource === 'oauth'
        ? permissionsIn(all('permissions'), mapping)
        : new Set(roles.flatMap((role) => (Object.hasOwn(roleDefaults, role) ? (roleDefaults[role] ?? []) : []))),
    client: first('client'),
    issuer: fixed.issuer,
    credential: 'token' as const,
    expiresAt: fixed.expiresAt,
  });
}

function roleOf(name: string, mapping: ClaimMapping): string {
  const bare = name.startsWith(mapping.rolePrefix) ? name.slice(mapping.rolePrefix.length) : name;
  return Object.hasOwn(mapping.roleMap, bare) ? (mapping.roleMap[bare] ?? bare) : bare;
}

function permissionsIn(codes: readonly string[], mapping: ClaimMapping): ReadonlySet<PermissionCode> {
  if (codes.some((code) => mapping.wildcards.includes(code))) return new Set(permissionCodes);
  const held = new Set(codes);
  return new Set(permissionCodes.filter((code) => held.has(code)));
}
