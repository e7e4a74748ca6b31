/** Pulling a pushed answer: one batch per pull, and the source waits in between. */
import { describe, expect, it } from 'vitest';
import { pullBatches } from '../../src/streaming/pulled-batches.ts';
import { singleBatch } from '../../src/streaming/single-batch.ts';
import type { BatchSink, BatchSource } from '../../src/types/batch-source.ts';

/** A source that the test pushes by hand, and a record of what its reader asked of it. */
function scene() {
  const asked: string[] = [];
  let sink: BatchSink<number> | null = null;
  const source: BatchSource<number> = {
    start(given) {
      asked.push('start');
      sink = given;
    },
    resume: () => void asked.push('resume'),
    cancel: () => void asked.push('cancel'),
    [Symbol.asyncIterator]() {
      return pullBatches(this);
    },
  };
  const reader = pullBatches(source);
  const started = (): BatchSink<number> => {
    if (sink === null) throw new Error('the source was not started');
    return sink;
  };
  return { asked, reader, started };
}

describe('a pulled answer', () => {
  it('starts with the first pull and resumes with each later one', async () => {
    const { asked, reader, started } = scene();
    expect(asked).toEqual([]);
    const first = reader.next();
    expect(asked).toEqual(['start']);
    expect(started().write(1)).toBe(false);
    expect(await first).toEqual({ done: false, value: 1 });
    expect(asked).toEqual(['start']);
    const second = reader.next();
    expect(asked).toEqual(['start', 'resume']);
    started().write(2);
    expect(await second).toEqual({ done: false, value: 2 });
  });

  it('keeps batches that come before they are pulled, in order', async () => {
    const { asked, reader, started } = scene();
    const first = reader.next();
    for (const batch of [1, 2, 3]) started().write(batch);
    started().end(4);
    const all = [await first, await reader.next(), await reader.next(), await reader.next(), await reader.next()];
    expect(all.map(({ value }) => value)).toEqual([1, 2, 3, 4, undefined]);
    expect(all.at(-1)?.done).toBe(true);
    expect(asked).toEqual(['start']);
  });

  it('ends a waiting pull when the source ends without a last batch', async () => {
    const { reader, started } = scene();
    const waiting = reader.next();
    started().end(null);
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(await reader.next()).toEqual({ done: true, value: undefined });
  });

  it('rejects after the batches before the failure, once', async () => {
    const { reader, started } = scene();
    const first = reader.next();
    started().write(1);
    started().write(2);
    const broken = new Error('cut');
    started().fail(broken);
    expect([(await first).value, (await reader.next()).value]).toEqual([1, 2]);
    await expect(reader.next()).rejects.toBe(broken);
    expect(await reader.next()).toEqual({ done: true, value: undefined });
  });

  it('cancels the source when its reader leaves, and drops what is held', async () => {
    const { asked, reader, started } = scene();
    const first = reader.next();
    started().write(1);
    started().write(2);
    await first;
    expect(await reader.return?.()).toEqual({ done: true, value: undefined });
    await reader.return?.();
    expect(asked).toEqual(['start', 'cancel']);
    expect(await reader.next()).toEqual({ done: true, value: undefined });
  });

  it('does not cancel a source that has ended', async () => {
    const { asked, reader, started } = scene();
    const first = reader.next();
    started().end(1);
    await first;
    await reader.return?.();
    expect(asked).toEqual(['start']);
  });
});

describe('an answer of one batch', () => {
  it('is read by pulling and by pushing', async () => {
    expect(await Array.fromAsync(singleBatch('whole'))).toEqual(['whole']);
    const ended: (string | null)[] = [];
    singleBatch('whole').start({ write: () => true, end: (last) => void ended.push(last), fail() {} });
    expect(ended).toEqual(['whole']);
  });
});
