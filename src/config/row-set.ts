/** All rows of one revision by kind, tenant and name, with an index of what they refer to. A change makes a new set that shares everything unchanged. */
import type { ConfigChange } from '../types/config-store.ts';
import type { ConfigRow, ResourceKind } from '../types/resources.ts';
import { grantableKinds } from './grant-reference.ts';
import { isOffered } from './offers.ts';
import { emptyMap, type PersistentMap } from './persistent-map.ts';
import { referencesOf } from './row-references.ts';

type Rows = PersistentMap<ConfigRow>;

/** The rows that a change made different. */
export interface RowDifference {
  readonly kind: ResourceKind;
  readonly tenant: string;
  readonly name: string;
  readonly before: ConfigRow | undefined;
  readonly after: ConfigRow | undefined;
}

const groupKey = (kind: ResourceKind, tenant: string): string => `${kind}\0${tenant}`;
const idKey = ({ kind, tenant, id }: Pick<ConfigRow, 'kind' | 'tenant' | 'id'>): string => `${kind}\0${tenant}\0${id}`;
/** Keys of the offers. */
const anyOffer = 'all';
const offersOf = (kind: string, name: string): string => `named ${kind}\0${name}`;
const offersWith = (id: string): string => `with id ${id}`;
const rowKey = ({ kind, name }: ConfigRow): string => `${kind}\0${name}`;
const referenceKey = (tenant: string, key: string): string => `${tenant}\0${key}`;

/** Collects changes of nested maps, so that each map is copied once. */
class Edit<V> {
  readonly #changes = new Map<string, Map<string, V | undefined>>();

  set(key: string, name: string, value: V | undefined): void {
    let inner = this.#changes.get(key);
    if (inner === undefined) this.#changes.set(key, (inner = new Map()));
    inner.set(name, value);
  }

  /** The value set in this edit, else the one of `map`. */
  get(map: PersistentMap<PersistentMap<V>>, key: string, name: string): V | undefined {
    const inner = this.#changes.get(key);
    return inner?.has(name) === true ? inner.get(name) : map.get(key)?.get(name);
  }

  apply(map: PersistentMap<PersistentMap<V>>): PersistentMap<PersistentMap<V>> {
    return map.with(
      [...this.#changes].map(([key, changes]) => {
        const inner = (map.get(key) ?? emptyMap<V>()).with(changes);
        return [key, inner.size === 0 ? undefined : inner] as const;
      }),
    );
  }
}

interface Maps {
  readonly groups: PersistentMap<Rows>;
  readonly ids: PersistentMap<Rows>;
  readonly references: PersistentMap<Rows>;
  /** The rows that are shared with other tenants, of all tenants: all together, by name and by id. */
  readonly offers: PersistentMap<Rows>;
}

export class RowSet {
  readonly #maps: Maps;

  private constructor(maps: Maps) {
    this.#maps = maps;
  }

  static of(rows: Iterable<ConfigRow>): RowSet {
    const changes: ConfigChange[] = [];
    for (const row of rows) changes.push({ kind: row.kind, tenant: row.tenant, before: null, after: row });
    return new RowSet({ groups: emptyMap(), ids: emptyMap(), references: emptyMap(), offers: emptyMap() }).with(changes);
  }

  /** The rows of one kind and tenant. The same object as long as none of them changed. */
  group(kind: ResourceKind, tenant: string): Rows {
    return this.#maps.groups.get(groupKey(kind, tenant)) ?? emptyMap();
  }

  /** True when a row of the kind and tenant has this id. */
  hasId(kind: ResourceKind, tenant: string, id: string): boolean {
    return this.#maps.ids.get(groupKey(kind, tenant))?.has(idKey({ kind, tenant, id })) ?? false;
  }

  /** True when a row of the tenant has this id. */
  hasAnyId(tenant: string, id: string): boolean {
    return grantableKinds.some((kind) => this.hasId(kind, tenant, id));
  }

  /** The rows of the tenant that refer to the key (`row-references.ts`). */
  referring(tenant: string, key: string): Iterable<ConfigRow> {
    return this.#maps.references.get(referenceKey(tenant, key))?.values() ?? [];
  }

  get hasOffers(): boolean {
    return this.#maps.offers.size > 0;
  }

  /** The rows that are shared with other tenants. */
  offers(): Iterable<ConfigRow> {
    return this.#maps.offers.get(anyOffer)?.values() ?? [];
  }

  /** The shared rows of one kind and name. */
  offersNamed(kind: string, name: string): Iterable<ConfigRow> {
    return this.#maps.offers.get(offersOf(kind, name))?.values() ?? [];
  }

  /** The shared rows with this id: one, unless tenants have equal ids. */
  offersWithId(id: string): Iterable<ConfigRow> {
    return this.#maps.offers.get(offersWith(id))?.values() ?? [];
  }

  *all(): Generator<ConfigRow> {
    for (const names of this.#maps.groups.values()) yield* names.values();
  }

  with(changes: Iterable<ConfigChange>): RowSet {
    const groups = new Edit<ConfigRow>();
    const ids = new Edit<ConfigRow>();
    const references = new Edit<ConfigRow>();
    const offers = new Edit<ConfigRow>();
    const setOffer = (row: ConfigRow, value: ConfigRow | undefined): void => {
      if (!isOffered(row)) return;
      for (const key of [anyOffer, offersOf(row.kind, row.name), offersWith(row.id)]) offers.set(key, idKey(row), value);
    };
    const remove = (row: ConfigRow): void => {
      groups.set(groupKey(row.kind, row.tenant), row.name, undefined);
      ids.set(groupKey(row.kind, row.tenant), idKey(row), undefined);
      setOffer(row, undefined);
      for (const key of referencesOf(row)) references.set(referenceKey(row.tenant, key), rowKey(row), undefined);
    };
    for (const { kind, tenant, before, after } of changes) {
      // What stands under the names now is removed, so that the index follows the rows whatever a change says.
      for (const name of new Set([before?.name, after?.name])) {
        const stored = name === undefined ? undefined : groups.get(this.#maps.groups, groupKey(kind, tenant), name);
        if (stored !== undefined) remove(stored);
      }
      if (after === null) continue;
      groups.set(groupKey(kind, tenant), after.name, after);
      ids.set(groupKey(kind, tenant), idKey(after), after);
      setOffer(after, after);
      for (const key of referencesOf(after)) references.set(referenceKey(tenant, key), rowKey(after), after);
    }
    return new RowSet({
      groups: groups.apply(this.#maps.groups),
      ids: ids.apply(this.#maps.ids),
      references: references.apply(this.#maps.references),
      offers: offers.apply(this.#maps.offers),
    });
  }

  /** The rows that differ from an earlier set. Costs the size of the difference. */
  *differences(earlier: RowSet): Generator<RowDifference> {
    for (const [key, before, after] of this.#maps.groups.differences(earlier.#maps.groups)) {
      const [kind, tenant] = partsOf(key);
      for (const [name, was, is] of (after ?? emptyMap<ConfigRow>()).differences(before ?? emptyMap()))
        yield { kind, tenant, name, before: was, after: is };
    }
  }
}

function partsOf(key: string): readonly [ResourceKind, string] {
  const end = key.indexOf('\0');
  return [key.slice(0, end) as ResourceKind, key.slice(end + 1)];
}
