/** The permissions that a call has required, each once, because a long run may require the same one many times. */
import type { Action, Capability } from '../types/access.ts';
import type { ActingRights } from './skills/acting-principal.ts';

/** `acting`: the rights that were used when not the caller's own. */
export type RequiredPermission = readonly [Action, Capability, acting?: ActingRights];

export interface RequiredPermissions extends Iterable<RequiredPermission> {
  add(action: Action, capability: Capability, acting?: ActingRights): void;
}

const mostNamed = 20;

class Required implements RequiredPermissions {
  /** Most calls require one. */
  #first: RequiredPermission | null = null;
  #all: Map<string, RequiredPermission> | null = null;

  add(action: Action, capability: Capability, acting?: ActingRights): void {
    const permission: RequiredPermission = acting === undefined ? [action, capability] : [action, capability, acting];
    if (this.#first === null) {
      this.#first = permission;
      return;
    }
    this.#all ??= new Map([[keyOf(this.#first), this.#first]]);
    this.#all.set(keyOf(permission), permission);
  }

  *[Symbol.iterator](): Iterator<RequiredPermission> {
    if (this.#all !== null) yield* this.#all.values();
    else if (this.#first !== null) yield this.#first;
  }
}

function keyOf([action, capability, acting]: RequiredPermission): string {
  return `${action} ${capability.kind}/${capability.name} ${acting?.skill ?? ''}`;
}

export function createRequiredPermissions(): RequiredPermissions {
  return new Required();
}

/** As a list of names, shortened to the first ones and a count of the rest. */
export function permissionNames(needs: RequiredPermissions): string {
  const names = [...new Set([...needs].map(([, { kind, name }]) => `${kind}/${name}`))];
  const more = names.length - mostNamed;
  return names.slice(0, mostNamed).join(', ') + (more > 0 ? `, and ${more} more` : '');
}
