/** What a role brings, and the most that the roles of one issuer may be. */
import { type PermissionCode, permissionCodes, type Role } from '../types/access.ts';

/** The codes of the four roles, where codes follow from the role. */
const roleDefaults: Readonly<Record<Role, readonly PermissionCode[]>> = {
  admin: permissionCodes,
  developer: permissionCodes,
  user: permissionCodes.filter((code) => !code.endsWith(':manage')),
  viewer: permissionCodes.filter((code) => code.endsWith(':view')),
};

/** The roles that reach no further than each of the four. A viewer looks at more than a user and uses nothing: neither is within the other. */
const within: Readonly<Record<Role, readonly string[]>> = {
  admin: ['admin', 'developer', 'user', 'viewer'],
  developer: ['developer', 'user', 'viewer'],
  user: ['user'],
  viewer: ['viewer'],
};

const isRole = (name: string): name is Role => Object.hasOwn(roleDefaults, name);

/** None for another role name: what it may is for the service to say. */
export function codesOfRole(name: string): readonly PermissionCode[] {
  return isRole(name) ? roleDefaults[name] : [];
}

/** Each role that may be, and in place of one that reaches too far those within it that may. Other role names must be listed. */
export function cappedRoles(roles: readonly string[], most: readonly string[]): string[] {
  const kept = roles.flatMap((role) =>
    most.includes(role) ? [role] : isRole(role) ? most.filter((name) => within[role].includes(name)) : [],
  );
  return [...new Set(kept)];
}

/** The codes that any of the roles may hold; a role of another name reaches as far as `user`. */
export function cappedPermissions(permissions: ReadonlySet<PermissionCode>, most: readonly string[]): ReadonlySet<PermissionCode> {
  return permissions.intersection(new Set(most.flatMap((role) => (isRole(role) ? roleDefaults[role] : roleDefaults.user))));
}
