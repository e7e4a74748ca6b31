/** The contract between the steps of an answer: its batches are pushed, on the turn on which their bytes were read. */

/** Why a reader cannot go on. */
export interface ReaderFailure {
  readonly thrown: unknown;
}

/** Receives the batches of one answer. No method throws. */
export interface BatchSink<T> {
  /** False when the sink is full. The source then pauses until `resume`. */
  write(batch: T): boolean;
  /**
   * The answer is complete. `last` is its last batch; null when the source learned of the end only after it. Nothing follows. A sink that
   * cannot take the last batch cancels the source with its failure before it returns.
   */
  end(last: T | null): void;
  /** The answer broke off. Nothing follows. */
  fail(thrown: unknown): void;
}

/** An answer in progress with one reader: a sink, or an iterator on top of it (`src/streaming/pulled-batches.ts`). */
export interface BatchSource<T> extends AsyncIterable<T> {
  /** Pushes the batches to `sink`, the available ones at once. Called once. */
  start(sink: BatchSink<T>): void;
  /** The sink has room again. */
  resume(): void;
  /**
   * The reader leaves before the end. The sink hears nothing more. `failure`: the reader cannot go on; absent: it wants no more. A promise
   * resolves when the source has ended its work; it never rejects.
   */
  cancel(failure?: ReaderFailure): void | Promise<void>;
}
