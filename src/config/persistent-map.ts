/** An immutable map of strings whose versions share what they have in common: a new version copies only the shards that it changes. */

type Shard<V> = ReadonlyMap<string, V>;
type Change<V> = readonly [key: string, value: V | undefined];

/** Above this average the number of shards doubles. */
const entriesPerShard = 32;

/** FNV-1a. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < key.length; index++) hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
  return hash ^ (hash >>> 15);
}

/** A power of two. */
function shardsFor(size: number): number {
  let shards = 1;
  while (shards * entriesPerShard < size) shards *= 2;
  return shards;
}

/** The order of its entries is unspecified; with few entries it is the order of insertion. */
export class PersistentMap<V> implements ReadonlyMap<string, V> {
  readonly size: number;
  readonly #shards: readonly Shard<V>[];
  readonly #mask: number;

  private constructor(shards: readonly Shard<V>[], size: number) {
    this.#shards = shards;
    this.#mask = shards.length - 1;
    this.size = size;
  }

  static of<V>(entries: Iterable<readonly [string, V]>): PersistentMap<V> {
    const all = new Map(entries);
    const count = shardsFor(all.size);
    if (count === 1) return new PersistentMap([all], all.size);
    const shards = Array.from({ length: count }, () => new Map<string, V>());
    for (const [key, value] of all) shards[hashOf(key) & (count - 1)]?.set(key, value);
    return new PersistentMap(shards, all.size);
  }

  get(key: string): V | undefined {
    return this.#shards[this.#mask === 0 ? 0 : hashOf(key) & this.#mask]?.get(key);
  }

  has(key: string): boolean {
    return this.#shards[this.#mask === 0 ? 0 : hashOf(key) & this.#mask]?.has(key) ?? false;
  }

  /** A version with these entries set; `undefined` removes one. The same object when nothing changes. */
  with(changes: Iterable<Change<V>>): PersistentMap<V> {
    const shards = [...this.#shards];
    const copies = new Map<number, Map<string, V>>();
    let { size } = this;
    for (const [key, value] of changes) {
      const index = this.#mask === 0 ? 0 : hashOf(key) & this.#mask;
      const shard = shards[index];
      if (shard === undefined || shard.get(key) === value) continue;
      let copy = copies.get(index);
      if (copy === undefined) {
        copy = new Map(shard);
        copies.set(index, copy);
        shards[index] = copy;
      }
      const before = copy.size;
      if (value === undefined) copy.delete(key);
      else copy.set(key, value);
      size += copy.size - before;
    }
    if (copies.size === 0) return this;
    const next = new PersistentMap(shards, size);
    return shardsFor(size) > 2 * shards.length ? PersistentMap.of(next) : next;
  }

  /** The entries that differ from an earlier version, as `[key, before, after]`. Shared shards are skipped. */
  *differences(earlier: PersistentMap<V>): Generator<readonly [key: string, before: V | undefined, after: V | undefined]> {
    if (earlier.#shards.length !== this.#shards.length) {
      yield* differing(earlier, this);
      return;
    }
    for (const [index, shard] of this.#shards.entries()) {
      const before = earlier.#shards[index];
      if (before !== undefined && before !== shard) yield* differing(before, shard);
    }
  }

  *[Symbol.iterator](): MapIterator<[string, V]> {
    for (const shard of this.#shards) yield* shard;
  }

  entries(): MapIterator<[string, V]> {
    return this[Symbol.iterator]();
  }

  *keys(): MapIterator<string> {
    for (const shard of this.#shards) yield* shard.keys();
  }

  *values(): MapIterator<V> {
    for (const shard of this.#shards) yield* shard.values();
  }

  forEach(callback: (value: V, key: string, map: ReadonlyMap<string, V>) => void): void {
    for (const [key, value] of this) callback(value, key, this);
  }
}

const empty = PersistentMap.of<never>([]);

export function emptyMap<V>(): PersistentMap<V> {
  return empty;
}

function* differing<V>(
  before: ReadonlyMap<string, V>,
  after: ReadonlyMap<string, V>,
): Generator<readonly [string, V | undefined, V | undefined]> {
  for (const [key, value] of after) {
    const earlier = before.get(key);
    if (earlier !== value) yield [key, earlier, value];
  }
  for (const [key, value] of before) if (!after.has(key)) yield [key, value, undefined];
}
