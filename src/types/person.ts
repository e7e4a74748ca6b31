/** A person as rows name them: `<issuer>#<subject>` as one text. The same subject at two issuers is two people. */
import type { Principal } from './access.ts';

export type PersonId = Pick<Principal, 'issuer' | 'subject'>;

/** The actor of Pailou's own changes. No issuer has this name. */
export const systemActor = 'pailou';

/** The only written form. Without an issuer (the system actor) the subject alone. */
export function personRef({ issuer, subject }: PersonId): string {
  return issuer === '' ? subject : `${issuer}#${subject}`;
}

/** True if `ref` names this person. Compares without building the reference, because every decision calls it. */
export function isPerson({ issuer, subject }: PersonId, ref: string | null): boolean {
  if (ref === null) return false;
  if (issuer === '') return ref === subject;
  return (
    ref.length === issuer.length + 1 + subject.length &&
    ref.startsWith(issuer) &&
    ref.charCodeAt(issuer.length) === 35 &&
    ref.endsWith(subject)
  );
}

/** The parts of a reference. An issuer contains no `#`; a subject may. */
export function splitPerson(ref: string): PersonId {
  const mark = ref.indexOf('#');
  return mark === -1 ? { issuer: '', subject: ref } : { issuer: ref.slice(0, mark), subject: ref.slice(mark + 1) };
}

/** The maximum length of a reference: an issuer of 1,024 characters and a subject of 256. */
export const longestPerson = 1_281;
