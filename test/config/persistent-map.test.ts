import { expect, it } from 'vitest';
import { emptyMap, PersistentMap } from '../../src/config/persistent-map.ts';

const entries = (count: number): [string, number][] => Array.from({ length: count }, (_, index) => [`name-${index}`, index]);

it('holds what a Map holds, at every size', () => {
  for (const size of [0, 1, 31, 33, 1_000, 5_000]) {
    const map = PersistentMap.of(entries(size));
    expect(map.size).toBe(size);
    expect(new Map(map)).toEqual(new Map(entries(size)));
    expect([...map.keys()].toSorted()).toEqual(
      entries(size)
        .map(([key]) => key)
        .toSorted(),
    );
    expect(map.get('other')).toBeUndefined();
    expect(map.has('name-0')).toBe(size > 0);
  }
});

it('a version leaves the earlier one as it was', () => {
  const first = PersistentMap.of(entries(1_000));
  const second = first.with([
    ['name-7', 70],
    ['name-8', undefined],
    ['new', 1],
  ]);
  expect([first.get('name-7'), first.get('name-8'), first.get('new'), first.size]).toEqual([7, 8, undefined, 1_000]);
  expect([second.get('name-7'), second.get('name-8'), second.get('new'), second.size]).toEqual([70, undefined, 1, 1_000]);
});

it('a version without a difference is the same object', () => {
  const map = PersistentMap.of(entries(100));
  expect(
    map.with([
      ['name-7', 7],
      ['other', undefined],
    ]),
  ).toBe(map);
});

it('grows one by one to any size, and follows a plain Map through many changes', () => {
  let map = emptyMap<number>();
  const plain = new Map<string, number>();
  let seed = 1;
  const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
  for (let step = 0; step < 5_000; step++) {
    const key = `key-${random(2_000)}`;
    const value = random(4) === 0 ? undefined : step;
    map = map.with([[key, value]]);
    if (value === undefined) plain.delete(key);
    else plain.set(key, value);
  }
  expect(map.size).toBe(plain.size);
  expect(new Map(map)).toEqual(plain);
});

it('tells the differences to an earlier version, also when the number of shards changed', () => {
  const first = PersistentMap.of(entries(100));
  const second = first.with([
    ['name-7', 70],
    ['name-8', undefined],
    ['new', 1],
  ]);
  expect(new Set(second.differences(first))).toEqual(
    new Set([
      ['name-7', 7, 70],
      ['name-8', 8, undefined],
      ['new', undefined, 1],
    ]),
  );
  const larger = first.with(entries(10_000).slice(100));
  expect([...larger.differences(first)]).toHaveLength(9_900);
  expect([...first.differences(larger)]).toHaveLength(9_900);
});

it('an update of one entry of 100,000 copies one shard', () => {
  const map = PersistentMap.of(entries(100_000));
  // oxlint-disable-next-line unbound-method -- called with its own receiver
  const { set } = Map.prototype;
  let copied = 0;
  // oxlint-disable-next-line no-extend-native -- counts the entries that any code copies
  Map.prototype.set = function counted(key, value) {
    copied++;
    return set.call(this, key, value) as Map<unknown, unknown>;
  };
  try {
    map.with([['name-5', 50]]);
  } finally {
    // oxlint-disable-next-line no-extend-native -- restores it
    Map.prototype.set = set;
  }
  expect(copied).toBeLessThan(100);
});
