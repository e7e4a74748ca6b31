/** The decision about writes. Pure: principal x row before, row after and everything they reach -> decision. */
import type { Capability, Decision, GrantIndex, Principal } from '../types/access.ts';
import { capabilityKinds } from '../types/access.ts';
import { isPerson, personRef } from '../types/person.ts';
import type { GrantedReach, ProviderReach, Reach, RowWrite, WriteDecision } from '../types/writes.ts';
import { decide, isAdministrator } from './decide.ts';
import { decideAccount } from './decide-team.ts';

const byRole: Decision = { allowed: true, rule: 'administrator', reason: 'An administrator reaches everything of the tenant.' };
const allowedBy = (rule: string, reason: string): Decision => ({ allowed: true, rule, reason });
const refused = (reason: string, param: string): Decision => ({ allowed: false, status: 403, rule: 'reach', reason, param });

/**
 * Owners write their own keys, administrators every key. Administrators of a team make and revoke the keys of its service accounts. The owner
 * is in the spec of a key.
 */
function decideKey(principal: Principal, { before, after, team = null }: RowWrite): Decision {
  const isMine = (row: RowWrite['before']): boolean =>
    row === null || (row.spec['subject'] === principal.subject && row.spec['issuer'] === principal.issuer);
  if (isAdministrator(principal)) return byRole;
  if (isMine(before) && isMine(after)) return allowedBy('owner', 'It is your own key.');
  // Only the right to touch the row is checked when both are the same.
  const changes = before !== null && after !== null && before !== after;
  const ofTeam = decideAccount(principal, changes ? 'manage' : 'give-keys', team);
  if (ofTeam.allowed) return ofTeam;
  return { allowed: false, status: 404, rule: 'owner', reason: 'It is the key of another person.' };
}

/** Decides about the row itself. Creating requires the right to manage one's own. */
function decideRow(principal: Principal, write: RowWrite, grants: GrantIndex, now: number): Decision {
  const { kind, before, after } = write;
  if (kind === 'key') return decideKey(principal, write);
  // The right to grant depends only on the granted row and is decided with the reach of the grant.
  if (kind === 'grant') return allowedBy('reach', 'The grant is decided by what it reaches.');
  const isVersion = kind === 'skill' && after?.name.includes('@') === true;
  const created = before === null && !isVersion;
  const thing: Capability = created ? { ...write.thing, owner: personRef(principal) } : write.thing;
  const managing = decide(principal, 'manage', thing, grants, now);
  if (!managing.allowed || isAdministrator(principal)) return managing;
  if (kind === 'limit') return refused('Only an administrator sets limits.', 'name');
  if (kind === 'team') return refused('Only an administrator sets up teams.', 'name');
  if (kind === 'service') return refused('Only an administrator sets up service accounts.', 'name');
  if (after === null || isVersion) return managing;
  if (created && !isPerson(principal, after.owner)) return refused('Only an administrator may name another owner.', 'owner');
  if (after.owner === null && before?.owner !== null) return refused('Only an administrator may leave it without an owner.', 'owner');
  return managing;
}

function decideGranted(principal: Principal, { capability, thing, param }: GrantedReach, grants: GrantIndex, now: number): Decision {
  const kind = capability.startsWith('provider/') ? 'model' : capabilityKinds.find((each) => capability.startsWith(`${each}/`));
  if (kind !== undefined && isAdministrator(principal) && principal.permissions.has(`llm:${kind}:manage`)) return byRole;
  const decision = thing === null ? null : decide(principal, 'manage', thing, grants, now);
  if (decision?.allowed === true) return decision;
  const reason = `Rights on "${capability}" are granted by those who manage it, and by patterns or tags only by administrators.`;
  return refused(reason, param);
}

const isOwner = (principal: Principal, thing: Capability | null): boolean => thing !== null && isPerson(principal, thing.owner);

/** A model may use a provider of its own owner, or by a grant the models that the provider's row offers. */
function decideProvider(principal: Principal, reach: ProviderReach, grants: GrantIndex, now: number): Decision {
  const { thing, name, model, offered, param } = reach;
  if (thing === null) return allowedBy('unknown', 'There is no such provider; the fault is reported where the row is used.');
  if (isOwner(principal, thing)) return allowedBy('owner', 'The provider is yours.');
  const grant = grants.find(principal, 'use', thing, now);
  if (grant === null)
    return refused(
      `The provider "${name}" is not yours, and no grant lets you use it. Ask its owner or an administrator for a grant on provider/${name} (action use).`,
      param,
    );
  if (offered) return allowedBy(`grant:${grant}`, `The grant "${grant}" gives it to you.`);
  return refused(
    `The provider "${name}" does not offer the model "${model}" to others. Ask its owner to add it to spec.offered_models of the provider.`,
    param,
  );
}

const reasons: Readonly<Record<'program' | 'tools-of-others' | 'caller-identity', string>> = {
  program: 'it starts a program',
  'tools-of-others': "it offers tools of other people's servers",
  'caller-identity': 'it acts with the identity of each caller',
};

function decideReach(principal: Principal, reach: Reach, grants: GrantIndex, now: number): Decision {
  if (reach.type === 'granted') return decideGranted(principal, reach, grants, now);
  if ('kept' in reach && reach.kept !== undefined)
    return allowedBy(reach.kept, 'The row reached it before, and the right to it still holds.');
  if (isAdministrator(principal)) return byRole;
  switch (reach.type) {
    case 'provider':
      return decideProvider(principal, reach, grants, now);
    case 'price':
      if (isOwner(principal, reach.thing)) return allowedBy('owner', 'The provider is yours.');
      return refused(
        `The price of what the provider "${reach.name}" is paid for is set by its owner or an administrator. Leave the price out.`,
        reach.param,
      );
    case 'address':
      return reach.refusal === null
        ? allowedBy('public', 'The address is not known to be private; each connection is checked.')
        : refused(reach.refusal, reach.param);
    case 'runs-as':
      return refused('Only an administrator allows a version of a skill to run with its own list.', reach.param);
    case 'shared':
      return refused(
        'Only administrators share a row with other tenants, and change or delete one that is shared, or a provider that a shared model calls.',
        reach.param,
      );
    case 'reserved':
      return refused(`${reach.name} is reserved for administrators by the ${reach.by}. Choose another, or ask one of them.`, reach.param);
    case 'program':
    case 'tools-of-others':
    case 'caller-identity':
      return refused(`Only an administrator may set up one of kind ${reach.kind}, because ${reasons[reach.type]}.`, reach.param);
  }
}

/**
 * Decides whether `principal` may write the row. First the row itself, by the rules of `decide`, then each thing that it reached before
 * or reaches now. `rule` is one of those of `decide`, or `reach`. `param` names the field that reaches too far. `basis` is the right by
 * which each thing is reached.
 */
export function decideWrite(principal: Principal, write: RowWrite, grants: GrantIndex, now: number): WriteDecision {
  const own = decideRow(principal, write, grants, now);
  if (!own.allowed) return own;
  const basis: Record<string, string> = {};
  for (const reach of [...write.left, ...write.reaches]) {
    const decision = decideReach(principal, reach, grants, now);
    if (!decision.allowed) return decision;
    basis[reach.key] = decision.rule;
  }
  for (const { key } of write.left) if (!write.reaches.some((reach) => reach.key === key)) delete basis[key];
  return { ...own, basis };
}
