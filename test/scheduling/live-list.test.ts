import { describe, expect, it } from 'vitest';
import { type LiveEntry, LiveList } from '../../src/scheduling/live-list.ts';

type Entry = LiveEntry<string>;

describe('a list of what is in progress', () => {
  const valuesOf = (list: LiveList<string>): readonly string[] => list.entries().map(({ value }) => value);

  it('holds what was added until it is removed, in the order of arrival', () => {
    const list = new LiveList<string>();
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((value) => list.add(value)) as [Entry, Entry, Entry, Entry];
    list.delete(b);
    expect([valuesOf(list), b.isIn, a.isIn]).toEqual([['a', 'c', 'd'], false, true]);
    list.delete(b);
    list.moveToEnd(b);
    expect(list.size).toBe(3);
    list.moveToEnd(a);
    expect([valuesOf(list), list.first]).toEqual([['c', 'd', 'a'], c]);
    list.delete(a);
    list.delete(c);
    list.moveToEnd(d);
    expect(valuesOf(list)).toEqual(['d']);
    list.delete(d);
    expect([list.size, list.first, valuesOf(list)]).toEqual([0, null, []]);
    list.add('e');
    expect(valuesOf(list)).toEqual(['e']);
  });

  it('leaves a removed entry without a way to any other, so that a dead one keeps none', () => {
    const list = new LiveList<string>();
    const entries = Array.from({ length: 10 }, (_, index) => list.add(String(index)));
    for (const entry of entries.filter((_, index) => index % 3 !== 0)) {
      expect(Object.values(entry).some((part) => typeof part === 'object' && part !== null)).toBe(true);
      list.delete(entry);
      expect(Object.values(entry).filter((part) => typeof part === 'object' && part !== null)).toEqual([]);
    }
  });
});
