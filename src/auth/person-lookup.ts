/** Looks up the current rights of a person without their token, for their API keys. */
import type { Person } from '../storage/people.ts';
import { mapPerson, wasLookedUp } from './claims.ts';
import type { Issuer } from './verification.ts';

/** Rejects with token_invalid when the service refuses the person, and with auth_unavailable. */
export async function lookUpPerson(person: Person, { settings, lookups }: Issuer): Promise<Person> {
  const { mapping } = settings;
  const input = { token: '', subject: person.subject, username: person.username };
  let all: Record<string, unknown> = {};
  for (const lookup of lookups) if (!lookup.needsToken) all = { ...all, ...(await lookup.ask(input)) };
  const { username, tenant, roles, permissions } = mapPerson(all, person, mapping);
  // An answer with roles or codes counts as a new token. Any other answer only confirms that the account exists.
  const hasRights = wasLookedUp(all, mapping, 'roles') || wasLookedUp(all, mapping, 'permissions');
  return { ...person, username, tenant, roles, permissions, seenAt: hasRights ? Date.now() : person.seenAt };
}

/** True when the issuer can be asked about a person. */
export function canLookUpPeople({ lookups }: Issuer): boolean {
  return lookups.some(({ needsToken }) => !needsToken);
}
