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

/** The tenants that have people of their own, such as `admin@branch-a`. */
export const tenantForm = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** One of `people`, or the one of the same name in another tenant: `admin@branch-a`. */
export function personOf(subject: unknown): Person | undefined {
  const found = people.find((each) => each.subject === subject);
  if (found !== undefined || typeof subject !== 'string') return found;
  const [name = '', tenant = '', ...rest] = subject.split('@');
  const model = people.find((each) => each.subject === name);
  if (model === undefined || rest.length > 0 || !tenantForm.test(tenant) || tenant === model.tenant) return undefined;
  return { ...model, subject, name: `${model.name} (${tenant})`, tenant };
}

/** The subject of a person in a tenant; that of the first tenant when none is named. */
export function personIn(person: string, tenant: string | undefined): string {
  return tenant === undefined || tenant === personOf(person)?.tenant ? person : `${person}@${tenant}`;
}

/** The userinfo claims of a person. */
export function profileOf({ subject, name, roles, tenant, permissions }: Person) {
  return { sub: subject, name, username: subject, roles: [...roles], tenant_id: tenant, permissions: [...permissions] };
}
