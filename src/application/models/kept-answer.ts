/** Passes an answer on and stores it in the cache when its reader has taken all of it. */
import type { AnswerPlace } from '../../cache/answer-cache.ts';
import { AnswerCollector } from '../../cache/answer-collector.ts';
import { pullBatches } from '../../streaming/pulled-batches.ts';
import { pushBatches } from '../../streaming/pumped-batches.ts';
import type { BatchSink, BatchSource, ReaderFailure } from '../../types/batch-source.ts';
import type { ChatEvent, ChatEvents } from '../../types/chat.ts';

type Batch = readonly ChatEvent[];

class KeptAnswer implements BatchSource<Batch>, BatchSink<Batch> {
  readonly #source: BatchSource<Batch>;
  readonly #collector: AnswerCollector;
  readonly #keep: (collected: AnswerCollector) => void;
  #sink: BatchSink<Batch> | null = null;
  #isCancelled = false;

  constructor(source: BatchSource<Batch>, maxBytes: number, keep: (collected: AnswerCollector) => void) {
    this.#source = source;
    this.#collector = new AnswerCollector(maxBytes);
    this.#keep = keep;
  }

  start(sink: BatchSink<Batch>): void {
    this.#sink = sink;
    this.#source.start(this);
  }

  resume(): void {
    this.#source.resume();
  }

  cancel(failure?: ReaderFailure): void | Promise<void> {
    this.#isCancelled = true;
    return this.#source.cancel(failure);
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Batch, undefined> {
    return pullBatches(this);
  }

  write(batch: Batch): boolean {
    this.#collector.add(batch);
    return this.#sink?.write(batch) ?? true;
  }

  end(last: Batch | null): void {
    if (last !== null) this.#collector.add(last);
    this.#sink?.end(last);
    if (!this.#isCancelled) this.#keep(this.#collector);
  }

  fail(thrown: unknown): void {
    this.#sink?.fail(thrown);
  }
}

/** `choices`: the number of requested choices; an answer with fewer is not stored. */
export function keepAnswer(
  events: ChatEvents,
  place: AnswerPlace<Batch>,
  choices: number,
  warnings: readonly string[],
): BatchSource<Batch> {
  return new KeptAnswer(pushBatches(events), place.maxBytes, (collected) => {
    const whole = collected.complete(choices);
    if (whole !== null) place.keep(whole, warnings);
  });
}
