/** Limits compiled for lookup: by subject, then by models and tools. */
import { createHash } from 'node:crypto';
import { rowContext } from '../storage/secret-box.ts';
import type { Capability } from '../types/access.ts';
import type { LimitIndex, LimitRule } from '../types/limits.ts';
import type { LimitSpec } from '../types/limit-spec.ts';
import { personRef } from '../types/person.ts';
import type { ConfigRow } from '../types/resources.ts';
import { sealedAlertSecret } from './limit-alerts.ts';

const none: readonly LimitRule[] = [];
const noDeployments: readonly never[] = [];
export const noLimits: LimitIndex = { find: () => none, rules: none };

/** The identity of a counter: subject, capability, currency and period. The amount is not part of it. */
function scopeOf({ subject_type: type, subject, shared, capability, per_model: perModel, spend }: LimitSpec, timeZone: string): string {
  // Another time zone has other days.
  const zone = spend === undefined || timeZone === 'UTC' ? [] : [timeZone];
  const scope = JSON.stringify([type, subject, shared, capability, perModel, spend?.currency ?? null, ...zone]);
  return createHash('sha256').update(scope).digest('base64url').slice(0, 8);
}

/** `zoneOfTenant`: for a budget without a time zone. */
export function limitRule(
  row: Pick<ConfigRow, 'id' | 'tenant' | 'name'> & Partial<Pick<ConfigRow, 'spec'>>,
  spec: LimitSpec,
  zoneOfTenant = 'UTC',
): LimitRule {
  const timeZone = spec.spend?.time_zone ?? zoneOfTenant;
  const sealed = row.spec === undefined ? null : sealedAlertSecret(row.spec);
  const alerts = sealed === null ? {} : { alertSecret: { sealed, context: rowContext(row) } };
  return { id: `${row.id}.${scopeOf(spec, timeZone)}`, tenant: row.tenant, name: row.name, spec, timeZone, ...alerts };
}

/** As in grants, a server covers its tools. */
function covers({ capability }: LimitSpec, { kind, name, tags }: Pick<Capability, 'kind' | 'name' | 'tags'>): boolean {
  if (!capability.startsWith(`${kind}/`)) return false;
  const wanted = capability.slice(kind.length + 1);
  if (wanted.startsWith('#')) return tags.includes(wanted.slice(1));
  if (wanted.endsWith('*')) return name.startsWith(wanted.slice(0, -1));
  return name === wanted || (kind === 'mcp' && name.startsWith(`${wanted}/`));
}

/** Leaves out expired rules and rules that another one replaces for this caller. */
function inForce(rules: readonly LimitRule[]): readonly LimitRule[] {
  if (!rules.some(({ spec }) => spec.expires_at !== null || spec.replaces !== undefined)) return rules;
  const now = Date.now();
  const current = rules.filter(({ spec }) => spec.expires_at === null || Date.parse(spec.expires_at) > now);
  const replaced = new Set(current.flatMap(({ spec }) => spec.replaces ?? []));
  return current.filter(({ name }) => !replaced.has(name));
}

/** True when the rule counts a provider that one of the deployments calls. */
function reachesProvider({ capability }: LimitSpec, deployments: readonly { readonly provider?: { readonly name?: string } }[]): boolean {
  if (!capability.startsWith('provider/')) return false;
  const wanted = capability.slice('provider/'.length);
  return deployments.some(({ provider }) => {
    const name = provider?.name ?? '';
    return wanted.endsWith('*') ? name.startsWith(wanted.slice(0, -1)) : name === wanted;
  });
}

/** Compiles the rules of one tenant. */
export function compileLimits(rules: readonly LimitRule[]): LimitIndex {
  if (rules.length === 0) return noLimits;
  const bySubject = new Map<string, LimitRule[]>();
  for (const rule of rules) {
    const key = `${rule.spec.subject_type}:${rule.spec.subject}`;
    const found = bySubject.get(key);
    if (found === undefined) bySubject.set(key, [rule]);
    else found.push(rule);
  }
  return {
    rules,
    find({ issuer, subject, roles, client, key }, capability, deployments = noDeployments) {
      const matching: LimitRule[] = [];
      const look = (whom: string): void => {
        for (const rule of bySubject.get(whom) ?? none)
          if (covers(rule.spec, capability) || reachesProvider(rule.spec, deployments)) matching.push(rule);
      };
      look('tenant:*');
      look('user:*');
      const person = personRef({ issuer, subject });
      if (person !== '*') look(`user:${person}`);
      for (const role of new Set(roles)) {
        look(`role:${role}`);
        look(`team:${role}`);
      }
      if (client !== null) {
        look('client:*');
        if (client !== '*') look(`client:${client}`);
      }
      if (key !== null && key !== undefined) {
        look('key:*');
        look(`key:${key}`);
      }
      return matching.length === 0 ? none : inForce(matching);
    },
  };
}
