/** Warnings about the subject of a grant. A typing error looks like a person who has not come yet, so it is not refused. */
import type { ConfigService } from '../config/service.ts';
import { roles } from '../types/access.ts';
import { type PersonId, splitPerson } from '../types/person.ts';
import type { GrantSpec } from '../types/resources.ts';
import { serviceAccountIssuer } from '../types/service-account-spec.ts';

/** The subjects seen in a tenant. Each rejects with `storage_unavailable`. */
export interface SubjectReader {
  hasUser(tenant: string, person: PersonId): Promise<boolean>;
  hasRole(tenant: string, role: string): Promise<boolean>;
  hasClient(tenant: string, client: string): Promise<boolean>;
}

type Subject = Pick<GrantSpec, 'subject_type' | 'subject'>;

type Rows = Pick<ConfigService, 'people'>;

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

/** One sentence, or none. `spec` is the row's. The grant is stored already, so an unavailable database yields no warning. */
export async function grantWarnings(subjects: SubjectReader, tenant: string, spec: Subject, rows: Rows): Promise<string[]> {
  const seen = await wasSeen(subjects, tenant, spec).catch(() => true);
  if (seen) return [];
  const subject = spec.subject_type === 'user' ? rows.people.show(spec.subject) : spec.subject;
  return [`spec.subject: no ${spec.subject_type} "${subject}" has been seen in a token yet. The grant applies from the first call on.`];
}
