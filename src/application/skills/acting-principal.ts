/** Determines by whose right a run of a skill uses what its row names: the caller's, or the publisher's for a version that may run as itself. */
import { type Person, principalOfPerson } from '../../storage/people.ts';
import type { Principal } from '../../types/access.ts';
import { GatewayError } from '../../types/errors.ts';
import { splitPerson } from '../../types/person.ts';
import type { RunsAsSkill, SkillEntry } from '../../types/snapshot.ts';
import type { CallServices } from '../services.ts';

/** The rights of a run that are not its caller's. Records, limits and budgets stay the caller's. */
export interface ActingRights {
  /** The publisher, restricted to what the skill names. */
  readonly principal: Principal;
  readonly publisher: string;
  /** Identifies the allowance for re-checks during the run. */
  readonly skill: string;
  readonly digest: string;
  /** Returns the publisher's current rights. Returns null when the publisher is unknown, is blocked or has left the tenant. */
  now(): Principal | null;
}

function narrowed(person: Person | null, tenant: string, { within }: RunsAsSkill): Principal | null {
  if (person === null || person.tenant !== tenant) return null;
  return Object.freeze({ ...principalOfPerson(person), within });
}

/** Returns null when calls of the skill use the rights of the caller. Throws `permission_denied` when the publisher is no longer known. */
export async function actingRights(
  { people }: Pick<CallServices, 'people'>,
  { name, capability, runsAs }: SkillEntry,
): Promise<ActingRights | null> {
  if (runsAs === undefined) return null;
  const { issuer, subject } = splitPerson(runsAs.publisher);
  const principal = narrowed(await people.find(issuer, subject), capability.tenant, runsAs);
  if (principal === null)
    throw new GatewayError(
      'permission_denied',
      `The skill "${name}" runs with the right of ${subject}, who published it and is not known any more. Another person has to publish it.`,
    );
  let latest = principal;
  return {
    principal,
    publisher: runsAs.publisher,
    skill: name,
    digest: runsAs.digest,
    now() {
      const found = people.find(issuer, subject);
      // A pending read takes effect at the next check.
      if (found instanceof Promise) {
        found.catch(() => {});
        return latest;
      }
      const current = narrowed(found, capability.tenant, runsAs);
      if (current !== null) latest = current;
      return current;
    },
  };
}
