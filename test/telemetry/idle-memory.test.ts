/** An idle process returns memory in one collection, and none while it works. */
import { getHeapStatistics } from 'node:v8';
import { describe, expect, it } from 'vitest';
import { createIdleMemory } from '../../src/telemetry/idle-memory.ts';
import { collectHeap } from '../../src/telemetry/start-idle-memory.ts';

const megabyte = 1024 * 1024;

/** A process whose heap and work the test sets. A collection leaves `live` megabytes. */
function scripted() {
  const state = { busy: 0, heap: 100, live: 40, collections: 0, engine: false };
  const memory = createIdleMemory({
    busyShare: () => state.busy,
    heapBytes: () => state.heap * megabyte,
    collect() {
      state.collections++;
      state.heap = state.live;
    },
    leaveToEngine: () => void (state.engine = true),
  });
  const look = (times: number): void => {
    for (let count = 0; count < times; count++) memory.look();
  };
  return { state, look };
}

describe('an idle process', () => {
  it('collects after three idle looks, and V8 does not collect beside it', () => {
    const { state, look } = scripted();
    look(2);
    expect(state.collections).toBe(0);
    look(1);
    expect(state).toMatchObject({ collections: 1, heap: 40, engine: false });
  });

  it('does not collect again until its heap has grown', () => {
    const { state, look } = scripted();
    look(100);
    expect(state.collections).toBe(1);
    state.heap = 55;
    look(100);
    expect(state.collections).toBe(1);
    state.heap = 57;
    look(15);
    expect(state.collections).toBe(2);
  });

  it('collects after work only at the fifteenth idle look in a row, so that a short break costs the next calls nothing', () => {
    const { state, look } = scripted();
    look(3);
    for (const pause of [3, 14, 15]) {
      state.heap = 100;
      state.busy = 0.5;
      look(1);
      state.busy = 0;
      look(pause);
    }
    expect(state.collections).toBe(2);
    expect(state.heap).toBe(40);
  });

  it('never collects while calls keep it busy', () => {
    const { state, look } = scripted();
    state.busy = 0.1;
    look(100);
    expect(state.collections).toBe(0);
    for (let round = 0; round < 50; round++) {
      state.busy = 0;
      look(2);
      state.busy = 0.1;
      look(1);
    }
    expect(state.collections).toBe(0);
  });

  it('is idle although a timer writes to many open streams now and then', () => {
    const { state, look } = scripted();
    look(3);
    state.heap = 100;
    look(14);
    state.busy = 0.2;
    look(1);
    expect(state.collections, 'work that has just begun does not wait').toBe(1);
    state.busy = 0;
    look(1);
    expect(state.collections).toBe(2);
  });

  it('leaves a large heap to V8, whose steps are small', () => {
    const { state, look } = scripted();
    state.heap = 300;
    look(10);
    expect(state).toMatchObject({ collections: 0, engine: true });
    state.heap = 200;
    look(3);
    expect(state).toMatchObject({ collections: 1, engine: true });
    state.live = 300;
    state.heap = 900;
    look(15);
    expect(state).toMatchObject({ collections: 2, heap: 300 });
    state.heap = 900;
    look(15);
    expect(state).toMatchObject({ collections: 2, engine: true });
  });

  it('collects the garbage of a wave of calls, however much it is', () => {
    const { state, look } = scripted();
    look(3);
    state.heap = 1_500;
    look(15);
    expect(state).toMatchObject({ collections: 2, heap: 40 });
  });
});

it('a collection returns the room of dropped objects', () => {
  let dropped: object[] | null = Array.from({ length: 400_000 }, (_, index) => ({ index }));
  const before = getHeapStatistics().total_heap_size;
  expect(dropped.length).toBe(400_000);
  dropped = null;
  collectHeap();
  expect(getHeapStatistics().total_heap_size).toBeLessThan(before);
});
