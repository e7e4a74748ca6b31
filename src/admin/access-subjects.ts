/** The subjects of a tenant: named clients and roles, people who were seen, and people whom only grants name. */
import { type Person, principalOfPerson } from '../storage/people.ts';
import type { PeopleReader } from '../storage/people-reader.ts';
import { permissionCodes, type Principal, roles } from '../types/access.ts';
import { personRef, splitPerson } from '../types/person.ts';
import type { GrantSpec } from '../types/resources.ts';

export const subjectTypes = ['client', 'person', 'role', 'stranger'] as const;
export type SubjectType = (typeof subjectTypes)[number];

export interface AccessSubject {
  readonly type: SubjectType;
  /** The position among subjects of its type. */
  readonly key: readonly string[];
  /** The principal to decide about. Only for people who were seen are the codes known; others get all of them here. */
  readonly principal: Principal;
  readonly person: Person | null;
}

export interface SubjectPlace {
  readonly type: SubjectType;
  readonly key: readonly string[];
}

/** A filter by name: a role or client as written, a person by reference. */
export interface Named {
  readonly text: string;
  /** Null when the text does not identify a person. */
  readonly person: string | null;
}

const atOnce = 100;

const noRole = '(any)';

function supposed(tenant: string, over: Partial<Principal>): Principal {
  const permissions = new Set(permissionCodes);
  const nobody: Principal = {
    subject: '',
    username: '',
    tenant,
    roles: [noRole],
    permissions,
    client: null,
    issuer: '',
    credential: 'token',
    expiresAt: Infinity,
  };
  return Object.freeze({ ...nobody, ...over });
}

function namesIn(grants: readonly GrantSpec[], types: readonly GrantSpec['subject_type'][], more: readonly string[] = []): string[] {
  const named = grants.filter((grant) => types.includes(grant.subject_type)).map((grant) => grant.subject);
  return [...new Set([...named, ...more])].toSorted();
}

async function* peopleFrom(
  people: PeopleReader,
  tenant: string,
  { only, start: from }: { readonly only: Named | null; readonly start: readonly string[] | null },
): AsyncGenerator<AccessSubject> {
  const shown = (person: Person): AccessSubject => ({
    type: 'person',
    key: [person.subject, person.issuer],
    principal: principalOfPerson(person),
    person,
  });
  const [subject = '', issuer = ''] = from ?? [];
  if (only !== null) {
    if (only.person === null) return;
    for (const person of await people.named(tenant, [splitPerson(only.person)])) yield shown(person);
    return;
  }
  // The last person of the page before comes again: some of their lines may be missing.
  if (from !== null) for (const person of await people.named(tenant, [{ issuer, subject }])) yield shown(person);
  let after = from === null ? null : { subject, issuer };
  for (;;) {
    const page = await people.page({ tenant, after, limit: atOnce });
    for (const person of page) yield shown(person);
    const last = page.at(-1);
    if (last === undefined || page.length < atOnce) return;
    after = { subject: last.subject, issuer: last.issuer };
  }
}

async function* unseenSubjectsFrom(people: PeopleReader, tenant: string, names: readonly string[]): AsyncGenerator<AccessSubject> {
  for (let start = 0; start < names.length; start += atOnce) {
    const some = names.slice(start, start + atOnce);
    const known = new Set((await people.named(tenant, some.map(splitPerson))).map(personRef));
    for (const person of some)
      if (!known.has(person)) yield { type: 'stranger', key: [person], principal: supposed(tenant, splitPerson(person)), person: null };
  }
}

/** In the order of types and keys, from `from` inclusive; `only` filters by name. */
export async function* accessSubjects(
  people: PeopleReader,
  tenant: string,
  grants: readonly GrantSpec[],
  { from, only }: { readonly from: SubjectPlace | null; readonly only: Named | null },
): AsyncGenerator<AccessSubject> {
  for (const type of subjectTypes) {
    if (from !== null && type < from.type) continue;
    const start = from?.type === type ? from.key : null;
    const first = start?.[0] ?? '';
    const wanted = type === 'stranger' ? only?.person : only?.text;
    const rest = (names: readonly string[]): readonly string[] =>
      names.filter((name) => name >= first && (only === null || name === wanted));
    if (type === 'client') {
      for (const client of rest(namesIn(grants, ['client'])))
        yield { type, key: [client], principal: supposed(tenant, { client }), person: null };
    } else if (type === 'person') yield* peopleFrom(people, tenant, { only, start });
    else if (type === 'role') {
      for (const role of rest(namesIn(grants, ['role', 'team'], roles)))
        yield { type, key: [role], principal: supposed(tenant, { roles: [role] }), person: null };
    } else yield* unseenSubjectsFrom(people, tenant, rest(namesIn(grants, ['user'])));
  }
}
