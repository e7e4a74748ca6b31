/** The rows of one tenant that a build looks at again: changed ones, and those that depend on them. */
import type { ResourceKind } from '../../types/resources.ts';
import type { RowDifference } from '../row-set.ts';

export interface TenantChanges {
  readonly differences: ReadonlyMap<ResourceKind, readonly RowDifference[]>;
  /** Rows that failed before and are tried again. */
  readonly failed: ReadonlyMap<ResourceKind, ReadonlySet<string>>;
  /** Models of which a right has ended. */
  readonly expired: ReadonlySet<string>;
}

interface Collected {
  readonly differences: Map<ResourceKind, RowDifference[]>;
  readonly failed: Map<ResourceKind, Set<string>>;
  readonly expired: Set<string>;
}

export class ChangedTenants {
  readonly #tenants = new Map<string, Collected>();

  #of(tenant: string): Collected {
    let found = this.#tenants.get(tenant);
    if (found === undefined) this.#tenants.set(tenant, (found = { differences: new Map(), failed: new Map(), expired: new Set() }));
    return found;
  }

  add(difference: RowDifference): void {
    const { differences } = this.#of(difference.tenant);
    const known = differences.get(difference.kind);
    if (known === undefined) differences.set(difference.kind, [difference]);
    else known.push(difference);
  }

  addFailed(tenant: string, kind: ResourceKind, name: string): void {
    const { failed } = this.#of(tenant);
    const known = failed.get(kind);
    if (known === undefined) failed.set(kind, new Set([name]));
    else known.add(name);
  }

  addExpired(tenant: string, model: string): void {
    this.#of(tenant).expired.add(model);
  }

  [Symbol.iterator](): MapIterator<[string, TenantChanges]> {
    return this.#tenants.entries();
  }
}

/** Changed and failed rows of the kind. */
export function namesOf({ differences, failed }: TenantChanges, kind: ResourceKind): Set<string> {
  const names = new Set(differences.get(kind)?.map(({ name }) => name));
  for (const name of failed.get(kind) ?? []) names.add(name);
  return names;
}
