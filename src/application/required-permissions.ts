/** What a call was found to have the right to, each once: a run that goes on for hours may ask for the same a thousand times. */
import type { Action, Capability } from '../types/access.ts';
import type { ActingRights } from './skills/acting.ts';

/** `acting`: by whose right, where it was not the caller's own. */
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

/** As a list of names; of many the first, and how many more there are. */
export function permissionNames(needs: RequiredPermissions): string {
  const names = [...new Set([...needs].map(([, { kind, name }]) => `${kind}/${name}`))];
  const more = names.length - mostNamed;
  return names.slice(0, mostNamed).join(', ') + (more > 0 ? `, and ${more} more` : '');
}
