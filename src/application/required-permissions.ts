/** The permissions that a call has required, each once, because a long run may require the same one many times. */
import type { Action, Capability } from '../types/access.ts';
import type { ActingRights } from './skills/acting-principal.ts';

/** `acting`: the rights that were used when not the caller's own. */
export type RequiredPermission = readonly [Action, Capability, acting?: ActingRights];

export interface RequiredPermissions extends Iterable<RequiredPermission> {
  add(action: Action, capability: Capability, acting?: ActingRights): void;
}

const mostNamed = 20;

export function createRequiredPermissions(): RequiredPermissions {
  const all = new Map<string, RequiredPermission>();
  return {
    add(action, capability, acting) {
      const key = `${action} ${capability.kind}/${capability.name} ${acting?.skill ?? ''}`;
      all.set(key, acting === undefined ? [action, capability] : [action, capability, acting]);
    },
    [Symbol.iterator]: () => all.values(),
  };
}

/** As a list of names, shortened to the first ones and a count of the rest. */
export function permissionNames(needs: RequiredPermissions): string {
  const names = [...new Set([...needs].map(([, { kind, name }]) => `${kind}/${name}`))];
  const more = names.length - mostNamed;
  return names.slice(0, mostNamed).join(', ') + (more > 0 ? `, and ${more} more` : '');
}
