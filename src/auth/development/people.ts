/** The people of the development identity service. */
import { permissionCodes } from '../../types/access.ts';

export interface Person {
  readonly subject: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly tenant: string;
  readonly permissions: readonly string[];
}

const using = permissionCodes.filter((code) => !code.endsWith(':manage'));
const viewing = permissionCodes.filter((code) => code.endsWith(':view'));

export const people: readonly Person[] = [
  { subject: 'admin', name: 'Ada Admin', roles: ['admin'], tenant: 'default', permissions: permissionCodes },
  { subject: 'developer', name: 'Dai Developer', roles: ['developer'], tenant: 'default', permissions: permissionCodes },
  { subject: 'user', name: 'Ulla User', roles: ['user'], tenant: 'default', permissions: using },
  { subject: 'viewer', name: 'Wei Viewer', roles: ['viewer'], tenant: 'default', permissions: viewing },
  // A person of another tenant, to test the wall between tenants.
  { subject: 'foreigner', name: 'Fred Foreigner', roles: ['admin'], tenant: 'other', permissions: permissionCodes },
];

export function personOf(subject: unknown): Person | undefined {
  return people.find((each) => each.subject === subject);
}

/** The userinfo claims of a person. */
export function profileOf({ subject, name, roles, tenant, permissions }: Person) {
  return { sub: subject, name, username: subject, roles: [...roles], tenant_id: tenant, permissions: [...permissions] };
}
