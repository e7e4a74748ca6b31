/** Pushing the batches of a generator into a sink, at the pace of the sink. */
import { describe, expect, it } from 'vitest';
import { pushBatches } from '../../src/streaming/pumped-batches.ts';
import { singleBatch } from '../../src/streaming/single-batch.ts';
import type { BatchSink } from '../../src/types/batch-source.ts';

/** A sink with room for `room` batches at a time. `ended` resolves with the last call. */
function createSink(room = Infinity, onBatch: (batch: number) => void = () => {}) {
  const heard: unknown[] = [];
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const { promise: full, resolve: fill } = Promise.withResolvers<void>();
  const sink: BatchSink<number> = {
    write(batch) {
      heard.push(batch);
      onBatch(batch);
      if (heard.length < room) return true;
      fill();
      return false;
    },
    end(last) {
      heard.push(last === null ? 'end' : last);
      resolve();
    },
    fail(thrown) {
      heard.push(thrown);
      resolve();
    },
  };
  return { sink, heard, ended, full };
}

/** Counts to three and records how far it came, and that it was left. */
function createGenerator(failure?: Error) {
  const made: unknown[] = [];
  async function* count(): AsyncGenerator<number> {
    try {
      for (const each of [1, 2, 3]) {
        made.push(each);
        yield each;
      }
      if (failure !== undefined) throw failure;
    } finally {
      made.push('left');
    }
  }
  return { made, source: pushBatches(count()) };
}

describe('a pumped answer', () => {
  it('pushes every batch and then the end', async () => {
    const { sink, heard, ended } = createSink();
    createGenerator().source.start(sink);
    await ended;
    expect(heard).toEqual([1, 2, 3, 'end']);
  });

  it('hands a failure to the sink after the batches before it', async () => {
    const broken = new Error('cut');
    const { sink, heard, ended } = createSink();
    createGenerator(broken).source.start(sink);
    await ended;
    expect(heard).toEqual([1, 2, 3, broken]);
  });

  it('waits for room in the sink', async () => {
    const { made, source } = createGenerator();
    const { sink, heard, ended, full } = createSink(1);
    source.start(sink);
    await full;
    expect([made, heard]).toEqual([[1], [1]]);
    sink.write = (batch) => heard.push(batch) > 0;
    source.resume();
    await ended;
    expect(heard).toEqual([1, 2, 3, 'end']);
  });

  it('ends a generator that waits for room, and the sink hears nothing more', async () => {
    const { made, source } = createGenerator();
    const { sink, heard, full } = createSink(1);
    source.start(sink);
    await full;
    await source.cancel();
    await source.cancel();
    expect([made, heard]).toEqual([[1, 'left'], [1]]);
  });

  it('can be cancelled by the sink within a write', async () => {
    const { made, source } = createGenerator();
    const { promise: left, resolve } = Promise.withResolvers<void>();
    const { sink, heard } = createSink(Infinity, () => resolve(source.cancel() ?? undefined));
    source.start(sink);
    await left;
    expect([made, heard]).toEqual([[1, 'left'], [1]]);
  });

  it('ends a generator that was never started, so that it releases what it holds', async () => {
    const { made, source } = createGenerator();
    await source.cancel();
    expect(made).toEqual([1, 'left']);
  });

  it('is the same object when the batches are pushed already', () => {
    const pushed = singleBatch(1);
    expect(pushBatches(pushed)).toBe(pushed);
  });
});
