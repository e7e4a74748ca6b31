/** An answer that is known already, as a source of one batch. */
import type { BatchSink, BatchSource } from '../types/batch-source.ts';
import { pullBatches } from './pulled-batches.ts';

export function singleBatch<T>(batch: T): BatchSource<T> {
  return {
    start: (sink: BatchSink<T>) => sink.end(batch),
    resume() {},
    cancel() {},
    [Symbol.asyncIterator]() {
      return pullBatches(this);
    },
  };
}
