/** A reader who follows runs more slowly than they come: what waits is bounded, and what was left out is said. */
import { expect, it } from 'vitest';
import { type TailEvent, RunTail } from '../../src/admin/run-tail.ts';
import type { RunFeed, RunListener } from '../../src/storage/run-feed.ts';
import type { RunTable } from '../../src/storage/schema.ts';

function scene() {
  const followers = new Set<RunListener>();
  const feed: Pick<RunFeed, 'follow'> = {
    follow(listener) {
      followers.add(listener);
      return () => followers.delete(listener);
    },
  };
  const written: TailEvent[] = [];
  const reader = { hasRoom: true, ends: 0, failures: [] as unknown[] };
  const tail = new RunTail(feed, ({ capability }) => capability === 'model/a');
  tail.start({
    write(batch) {
      written.push(...batch);
      return reader.hasRoom;
    },
    end: () => void reader.ends++,
    fail: (thrown) => void reader.failures.push(thrown),
  });
  const runs = (count: number, capability = 'model/a'): RunTable[] =>
    Array.from({ length: count }, (_none, index) => ({ id: String(index), capability }) as RunTable);
  return { tail, followers, written, reader, runs };
}

it('writes what matches at once while the reader has room', () => {
  const { tail, written, runs } = scene();
  tail.runs([...runs(2), ...runs(3, 'model/b')]);
  expect(written).toMatchObject(['ready', { id: '0' }, { id: '1' }]);
});

it('holds at most 1,000 runs for a reader without room, and then says that some were missed', () => {
  const { tail, written, reader, runs } = scene();
  reader.hasRoom = false;
  tail.runs(runs(1));
  for (let batch = 0; batch < 10; batch++) tail.runs(runs(100));
  expect(written).toHaveLength(2);
  reader.hasRoom = true;
  tail.resume();
  expect(written).toHaveLength(1_002);
  reader.hasRoom = false;
  tail.runs(runs(1));
  for (let batch = 0; batch < 50; batch++) tail.runs(runs(100));
  written.length = 0;
  reader.hasRoom = true;
  tail.resume();
  expect(written[0]).toBe('missed');
  expect(written.length).toBeLessThanOrEqual(1_000);
});

it.each([
  ['ends', (tail: RunTail) => tail.end(), 1, 0],
  ['fails', (tail: RunTail) => tail.fail(new Error('over')), 0, 1],
  ['is left by its reader', (tail: RunTail) => tail.cancel(), 0, 0],
] as const)('follows nothing after it %s', (_how, act, ends, failures) => {
  const { tail, followers, written, reader, runs } = scene();
  expect(followers.size).toBe(1);
  act(tail);
  expect(followers.size).toBe(0);
  tail.runs(runs(1));
  act(tail);
  expect([written.length, reader.ends, reader.failures.length]).toEqual([1, ends, failures]);
});
