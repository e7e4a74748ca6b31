/** Warnings about a grant that is stored: its subject was never seen, or what it names is of another tenant. */
import { findTarget } from '../config/grant-targets.ts';
import type { RowSet } from '../config/row-set.ts';
import type { ConfigService } from '../config/service.ts';
import { roles } from '../types/access.ts';
import { type PersonId, splitPerson } from '../types/person.ts';
import type { ConfigRow, GrantSpec } from '../types/resources.ts';
import { serviceAccountIssuer } from '../types/service-account-spec.ts';

/** The subjects seen in a tenant. Each rejects with `storage_unavailable`. */
export interface SubjectReader {
  hasUser(tenant: string, person: PersonId): Promise<boolean>;
  hasRole(tenant: string, role: string): Promise<boolean>;
  hasClient(tenant: string, client: string): Promise<boolean>;
}

type Subject = Pick<GrantSpec, 'subject_type' | 'subject'>;

type Rows = Pick<ConfigService, 'people' | 'rowSet'>;

async function wasSeen(subjects: SubjectReader, tenant: string, { subject_type: type, subject }: Subject): Promise<boolean> {
  if (type === 'user') {
    const person = splitPerson(subject);
    // A grant to an account that does not exist is refused.
    if (person.issuer === serviceAccountIssuer) return true;
    return subjects.hasUser(tenant, person);
  }
  if (type === 'client') return subjects.hasClient(tenant, subject);
  return (roles as readonly string[]).includes(subject) || (await subjects.hasRole(tenant, subject));
}

/** A name of another tenant means its row once the tenant's own row of that name is gone. */
function ofOtherTenant(rows: RowSet, { tenant, spec }: ConfigRow): string[] {
  const capability = String(spec['capability']);
  const target = findTarget(rows, tenant, capability);
  if (target == null || target.tenant === tenant) return [];
  return [
    `spec.capability: "${capability}" is shared by the tenant "${target.tenant}", which serves its calls; your tenant has none of that name.`,
  ];
}

/**
 * The warnings of a row of a grant. A typing error looks like a person who has not come yet, so it is not refused. An unavailable database
 * yields no warning about the subject.
 */
export async function grantWarnings(subjects: SubjectReader, row: ConfigRow, rows: Rows): Promise<string[]> {
  const spec = row.spec as unknown as Subject;
  const shared = ofOtherTenant(rows.rowSet(), row);
  if (await wasSeen(subjects, row.tenant, spec).catch(() => true)) return shared;
  const subject = spec.subject_type === 'user' ? rows.people.show(spec.subject) : spec.subject;
  return [
    `spec.subject: no ${spec.subject_type} "${subject}" has been seen in a token yet. The grant applies from the first call on.`,
    ...shared,
  ];
}
