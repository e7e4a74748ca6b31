/** The default codes of roles, and the limit on the roles of one issuer. */
import { type PermissionCode, permissionCodes, type Role } from '../types/access.ts';

/** The codes of the four roles, for issuers with codes derived from roles. */
const roleDefaults: Readonly<Record<Role, readonly PermissionCode[]>> = {
  admin: permissionCodes,
  developer: permissionCodes,
  user: permissionCodes.filter((code) => !code.endsWith(':manage')),
  viewer: permissionCodes.filter((code) => code.endsWith(':view')),
};

/** The roles within each of the four. A viewer views more than a user and uses nothing, so neither contains the other. */
const within: Readonly<Record<Role, readonly string[]>> = {
  admin: ['admin', 'developer', 'user', 'viewer'],
  developer: ['developer', 'user', 'viewer'],
  user: ['user'],
  viewer: ['viewer'],
};

const isRole = (name: string): name is Role => Object.hasOwn(roleDefaults, name);

/** Empty for any other role name, whose codes the service defines. */
export function codesOfRole(name: string): readonly PermissionCode[] {
  return isRole(name) ? roleDefaults[name] : [];
}

/** Keeps allowed roles and replaces each other one by the allowed roles within it. Other role names must be listed. */
export function cappedRoles(roles: readonly string[], most: readonly string[]): string[] {
  const capped = roles.flatMap((role) =>
    most.includes(role) ? [role] : isRole(role) ? most.filter((name) => within[role].includes(name)) : [],
  );
  return [...new Set(capped)];
}

/** The codes that any of the roles may hold. A role of another name reaches as far as `user`. */
export function cappedPermissions(permissions: ReadonlySet<PermissionCode>, most: readonly string[]): ReadonlySet<PermissionCode> {
  return permissions.intersection(new Set(most.flatMap((role) => (isRole(role) ? roleDefaults[role] : roleDefaults.user))));
}
