import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LiveList } from '../../src/scheduling/live-list.ts';

const module = join(import.meta.dirname, '../../src/scheduling/live-list.ts');

/** Megabytes in the old generation after many objects of a kilobyte passed through a list, 16 at a time, with minor collections alone. */
function keptMegabytes(kind: 'LiveList' | 'Set'): number {
  const script = `
    import { getHeapSpaceStatistics } from 'node:v8';
    import { LiveList } from ${JSON.stringify(module)};
    const old = () => getHeapSpaceStatistics().find(({ space_name: name }) => name === 'old_space').space_used_size / 1e6;
    const list = new ${kind}();
    const open = [];
    const pass = (count) => {
      for (let index = 0; index < count; index++) {
        const call = { content: new Array(100).fill(index) };
        const added = list.add(call);
        open.push(added === list ? call : added);
        if (open.length > 16) list.delete(open.splice((index * 7) % open.length, 1)[0]);
        if (index % 20 === 0) gc({ type: 'minor' });
      }
    };
    pass(2_000);
    const before = old();
    pass(40_000);
    console.log(old() - before);`;
  return Number(execFileSync(process.execPath, ['--expose-gc', '--input-type=module', '-e', script], { encoding: 'utf8' }));
}

describe('a list of what is in progress', () => {
  it('holds what was added until it is removed, in whatever order', () => {
    const list = new LiveList<string>();
    const entries = ['a', 'b', 'c', 'd'].map((value) => list.add(value));
    const remove = (index: number): void => {
      const entry = entries[index];
      if (entry !== undefined) list.delete(entry);
    };
    remove(1);
    expect(list.values().toSorted()).toEqual(['a', 'c', 'd']);
    remove(1);
    expect(list.size).toBe(3);
    remove(3);
    remove(0);
    expect(list.values()).toEqual(['c']);
    remove(2);
    expect(list.size).toBe(0);
  });

  it('does not keep what passed through it, as a Set does', () => {
    expect(keptMegabytes('LiveList')).toBeLessThan(keptMegabytes('Set') / 2);
  });
});
