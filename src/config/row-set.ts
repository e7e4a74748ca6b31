/** All rows of one revision by kind, tenant and name. A change makes a new set that shares unchanged groups. */
import type { ConfigChange } from '../types/config-store.ts';
import { grantableKinds } from './grant-reference.ts';
import type { ConfigRow, ResourceKind } from '../types/resources.ts';

type Names = ReadonlyMap<string, ConfigRow>;
const none: Names = new Map();
/** Groups are immutable, so their ids are collected once. */
const idsOf = new WeakMap<Names, ReadonlySet<string>>();

export class RowSet {
  readonly #groups: ReadonlyMap<string, Names>;

  private constructor(groups: ReadonlyMap<string, Names>) {
    this.#groups = groups;
  }

  static of(rows: Iterable<ConfigRow>): RowSet {
    const groups = new Map<string, Map<string, ConfigRow>>();
    for (const row of rows) {
      const key = `${row.kind} ${row.tenant}`;
      let names = groups.get(key);
      if (names === undefined) groups.set(key, (names = new Map()));
      names.set(row.name, row);
    }
    return new RowSet(groups);
  }

  /** The rows of one kind and tenant. The same object as long as none of them changed. */
  group(kind: ResourceKind, tenant: string): Names {
    return this.#groups.get(`${kind} ${tenant}`) ?? none;
  }

  /** True when a row of the kind and tenant has this id. */
  hasId(kind: ResourceKind, tenant: string, id: string): boolean {
    const group = this.group(kind, tenant);
    let ids = idsOf.get(group);
    if (ids === undefined) idsOf.set(group, (ids = new Set([...group.values()].map((row) => row.id))));
    return ids.has(id);
  }

  /** True when a row of the tenant has this id. */
  hasAnyId(tenant: string, id: string): boolean {
    return grantableKinds.some((kind) => this.hasId(kind, tenant, id));
  }

  tenants(): ReadonlySet<string> {
    return new Set([...this.#groups.keys()].map((key) => key.slice(key.indexOf(' ') + 1)));
  }

  *all(): Generator<ConfigRow> {
    for (const names of this.#groups.values()) yield* names.values();
  }

  with(changes: readonly ConfigChange[]): RowSet {
    const groups = new Map(this.#groups);
    const copied = new Set<string>();
    for (const { kind, tenant, before, after } of changes) {
      const key = `${kind} ${tenant}`;
      let names = groups.get(key) as Map<string, ConfigRow> | undefined;
      if (names === undefined || !copied.has(key)) {
        names = new Map(names);
        groups.set(key, names);
        copied.add(key);
      }
      if (before !== null) names.delete(before.name);
      if (after !== null) names.set(after.name, after);
    }
    return new RowSet(groups);
  }
}
