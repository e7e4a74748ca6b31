/** The one decision about writes. Pure: principal x row before, row after and all that they reach -> decision. */
import type { Capability, Decision, GrantIndex, Principal } from '../types/access.ts';
import { capabilityKinds } from '../types/access.ts';
import type { Reach, RowWrite } from '../types/writes.ts';
import { isPerson, personRef } from '../types/person.ts';
import { decide, isAdministrator } from './decide.ts';

const allowed: Decision = { allowed: true, rule: 'role', reason: 'Your role reaches everything of your tenant for this.' };
const forAdministrators = (reason: string, param: string): Decision => ({ allowed: false, status: 403, rule: 'reach', reason, param });

/** One's own key, or any for an administrator: a key is bound to a person, not owned as a thing. */
function decideKey(principal: Principal, { before, after }: RowWrite): Decision {
  const isMine = (row: RowWrite['before']): boolean =>
    row === null || (row.spec['subject'] === principal.subject && row.spec['issuer'] === principal.issuer);
  if (isAdministrator(principal) || (isMine(before) && isMine(after))) return allowed;
  return { allowed: false, status: 404, rule: 'owner', reason: 'It is the key of another person.' };
}

/** May the principal touch the row itself? To create is to manage what is one's own. */
function decideRow(principal: Principal, write: RowWrite, grants: GrantIndex, now: number): Decision {
  const { kind, before, after } = write;
  if (kind === 'key') return decideKey(principal, write);
  // Who may grant depends on the thing alone, and is decided by what the grant reaches.
  if (kind === 'grant') return allowed;
  const isVersion = kind === 'skill' && after?.name.includes('@') === true;
  const created = before === null && !isVersion;
  const thing: Capability = created ? { ...write.thing, owner: personRef(principal) } : write.thing;
  const managing = decide(principal, 'manage', thing, grants, now);
  if (!managing.allowed || isAdministrator(principal)) return managing;
  if (kind === 'limit') return forAdministrators('Only an administrator sets limits.', 'name');
  if (after === null || isVersion) return managing;
  if (created && !isPerson(principal, after.owner)) return forAdministrators('Only an administrator may name another owner.', 'owner');
  if (after.owner === null && before?.owner !== null)
    return forAdministrators('Only an administrator may leave it without an owner.', 'owner');
  return managing;
}

function decideGranted(
  principal: Principal,
  { capability, thing, param }: Reach & { type: 'granted' },
  grants: GrantIndex,
  now: number,
): Decision {
  const kind = capabilityKinds.find((each) => capability.startsWith(`${each}/`));
  if (kind !== undefined && isAdministrator(principal) && principal.permissions.has(`llm:${kind}:manage`)) return allowed;
  if (thing !== null && decide(principal, 'manage', thing, grants, now).allowed) return allowed;
  const reason = `Rights on "${capability}" are granted by those who manage it, and by patterns or tags only by administrators.`;
  return forAdministrators(reason, param);
}

function decideReach(principal: Principal, reach: Reach, grants: GrantIndex, now: number): Decision {
  switch (reach.type) {
    case 'granted':
      return decideGranted(principal, reach, grants, now);
    case 'provider':
      return allowed;
    case 'reserved': {
      if (isAdministrator(principal)) return allowed;
      return forAdministrators(
        `${reach.name} is reserved for administrators by the ${reach.by}. Choose another, or ask one of them.`,
        reach.param,
      );
    }
    case 'runs-as':
      if (isAdministrator(principal)) return allowed;
      return forAdministrators('Only an administrator allows a version of a skill to run with its own list.', reach.param);
    case 'program':
    case 'tools-of-others': {
      if (isAdministrator(principal)) return allowed;
      const why = reach.type === 'program' ? 'it starts a program' : "it lends out the tools of other people's servers";
      return forAdministrators(`Only an administrator may set up one of kind ${reach.kind}, because ${why}.`, reach.param);
    }
  }
}

/**
 * May `principal` write the row? First the row itself, by the rules of `decide`; then each thing that it reached before or reaches now.
 * `rule` is one of those of `decide`, or `reach`; `param` names the field that reaches too far.
 */
export function decideWrite(principal: Principal, write: RowWrite, grants: GrantIndex, now: number): Decision {
  const own = decideRow(principal, write, grants, now);
  if (!own.allowed) return own;
  for (const reach of write.reaches) {
    const decision = decideReach(principal, reach, grants, now);
    if (!decision.allowed) return decision;
  }
  return own;
}
