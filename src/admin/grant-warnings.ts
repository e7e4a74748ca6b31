/** Warnings about the subject of a grant. A typing error looks like a person who has not come yet, so it is not refused. */
import type { PersonNames } from '../config/person-names.ts';
import { roles } from '../types/access.ts';
import { type PersonId, splitPerson } from '../types/person.ts';
import type { GrantSpec } from '../types/resources.ts';

/** The subjects seen in a tenant. Each rejects with `storage_unavailable`. */
export interface SubjectReader {
  hasUser(tenant: string, person: PersonId): Promise<boolean>;
  hasRole(tenant: string, role: string): Promise<boolean>;
  hasClient(tenant: string, client: string): Promise<boolean>;
}

type Subject = Pick<GrantSpec, 'subject_type' | 'subject'>;

async function wasSeen(subjects: SubjectReader, tenant: string, { subject_type: type, subject }: Subject): Promise<boolean> {
  if (type === 'user') return subjects.hasUser(tenant, splitPerson(subject));
  if (type === 'client') return subjects.hasClient(tenant, subject);
  return (roles as readonly string[]).includes(subject) || (await subjects.hasRole(tenant, subject));
}

/** One sentence, or none. `spec` is the row's, `names` formats people. The grant is stored already, so an unavailable database yields no warning. */
export async function grantWarnings(subjects: SubjectReader, tenant: string, spec: Subject, names: PersonNames): Promise<string[]> {
  const seen = await wasSeen(subjects, tenant, spec).catch(() => true);
  if (seen) return [];
  const subject = spec.subject_type === 'user' ? names.show(spec.subject) : spec.subject;
  return [`spec.subject: no ${spec.subject_type} "${subject}" has been seen in a token yet. The grant applies from the first call on.`];
}
