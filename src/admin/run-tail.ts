/** One reader who follows the runs of the ledger: what matches, in a bounded queue. A reader who is too slow gets `missed` in place of runs. */
import { pullBatches } from '../streaming/pulled-batches.ts';
import type { BatchSink, BatchSource } from '../types/batch-source.ts';
import type { RunFeed, RunListener } from '../storage/run-feed.ts';
import type { RunTable } from '../storage/schema.ts';

/** `ready`: from now on nothing is left out silently. `missed`: runs were left out; the list has them. */
export type TailEvent = 'ready' | 'missed' | RunTable;

/** Runs that wait for a slow reader. */
const mostWaiting = 1_000;

export class RunTail implements BatchSource<readonly TailEvent[]>, RunListener {
  readonly #feed: Pick<RunFeed, 'follow'>;
  readonly #matches: (run: RunTable) => boolean;
  #sink: BatchSink<readonly TailEvent[]> | null = null;
  #stop: (() => void) | null = null;
  #isFull = false;
  #waiting: TailEvent[] = [];

  constructor(feed: Pick<RunFeed, 'follow'>, matches: (run: RunTable) => boolean) {
    this.#feed = feed;
    this.#matches = matches;
  }

  start(sink: BatchSink<readonly TailEvent[]>): void {
    this.#sink = sink;
    this.#stop = this.#feed.follow(this);
    this.#add(['ready']);
  }

  runs(rows: readonly RunTable[]): void {
    const matching = rows.filter(this.#matches);
    if (matching.length > 0) this.#add(matching);
  }

  missed(): void {
    if (!this.#waiting.includes('missed')) this.#add(['missed']);
  }

  #add(events: readonly TailEvent[]): void {
    if (this.#waiting.length + events.length > mostWaiting) this.#waiting = ['missed'];
    else this.#waiting.push(...events);
    if (!this.#isFull) this.resume();
  }

  resume(): void {
    this.#isFull = false;
    const batch = this.#waiting;
    if (batch.length === 0 || this.#sink === null) return;
    this.#waiting = [];
    this.#isFull = !this.#sink.write(batch);
  }

  /** Ends it without an error. */
  end(): void {
    const sink = this.#sink;
    this.cancel();
    sink?.end(null);
  }

  fail(thrown: unknown): void {
    const sink = this.#sink;
    this.cancel();
    sink?.fail(thrown);
  }

  cancel(): void {
    this.#stop?.();
    this.#stop = null;
    this.#sink = null;
    this.#waiting = [];
  }

  [Symbol.asyncIterator](): AsyncIterator<readonly TailEvent[]> {
    return pullBatches(this);
  }
}
