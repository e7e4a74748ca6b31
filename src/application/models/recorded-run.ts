/** Records a run once, with the outcome complete, error or aborted. */
import { completedUsage } from '../../models/estimate-usage.ts';
import { pullBatches } from '../../streaming/pulled-batches.ts';
import { pushBatches } from '../../streaming/pumped-batches.ts';
import type { Run } from '../../telemetry/run.ts';
import { retainedAnswer } from './retained-content.ts';
import type { BatchSink, BatchSource, ReaderFailure } from '../../types/batch-source.ts';
import type { ChatEvent, ChatEvents, ChatRequest, Usage } from '../../types/chat.ts';
import { type ErrorCode, toGatewayError } from '../../types/errors.ts';
import type { Outcome } from '../../types/run.ts';

type Batch = readonly ChatEvent[];

/** Ends `run` with the outcome of an error. */
export function endRunWithError(run: Run, thrown: unknown): void {
  const error = toGatewayError(thrown);
  run.end(error.code === 'client_closed_request' ? 'aborted' : 'error', error.code);
}

const nothingUsed: Usage = { inputTokens: 0, outputTokens: 0 };

class RecordedAnswer implements BatchSource<Batch>, BatchSink<Batch> {
  readonly #run: Run;
  readonly #request: ChatRequest | null;
  readonly #source: BatchSource<Batch>;
  readonly #retained: ReturnType<typeof retainedAnswer> | null;
  #sink: BatchSink<Batch> | null = null;
  #text = '';
  #requestBytes: number | null = null;
  readonly #isReplay: boolean;
  #ended = false;
  #isCancelled = false;

  constructor(run: Run, request: ChatRequest | null, source: BatchSource<Batch>, isReplay = false) {
    this.#run = run;
    this.#isReplay = isReplay;
    this.#request = request;
    this.#source = source;
    this.#retained = run.keeping === null ? null : retainedAnswer();
  }

  start(sink: BatchSink<Batch>): void {
    this.#sink = sink;
    if (this.#request !== null) this.#run.meteredBy(() => this.#roughUsage(this.#request as ChatRequest));
    this.#source.start(this);
  }

  resume(): void {
    this.#source.resume();
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Batch, undefined> {
    return pullBatches(this);
  }

  write(batch: Batch): boolean {
    return this.#sink?.write(this.#read(batch)) ?? true;
  }

  end(last: Batch | null): void {
    // Recorded on the turn on which the last events are written. A sink that could not write them has cancelled before.
    this.#sink?.end(last === null ? null : this.#read(last));
    if (!this.#ended && !this.#isCancelled) this.#end('complete');
  }

  fail(thrown: unknown): void {
    if (this.#text !== '') this.#book(this.#usage(null));
    this.#endWith(thrown);
    this.#sink?.fail(thrown);
  }

  cancel(failure?: ReaderFailure): void | Promise<void> {
    this.#isCancelled = true;
    const left = this.#source.cancel(failure);
    if (left !== undefined) return left.then(() => this.#cancelled(failure));
    this.#cancelled(failure);
  }

  #cancelled(failure: ReaderFailure | undefined): void {
    if (this.#ended) return;
    this.#book(this.#usage(null));
    if (failure === undefined) this.#end('aborted', 'client_closed_request');
    else this.#endWith(failure.thrown);
  }

  #endWith(thrown: unknown): void {
    const error = toGatewayError(thrown);
    this.#end(error.code === 'client_closed_request' ? 'aborted' : 'error', error.code);
  }

  /** The same batch, with the usage of the run where the answer ends. */
  #read(batch: Batch): Batch {
    this.#retained?.add(batch);
    if (this.#isReplay) return batch;
    let complete: ChatEvent[] | null = null;
    for (const event of batch) {
      if (event.type === 'text-delta' || event.type === 'reasoning-delta' || event.type === 'refusal-delta') this.#text += event.text;
      else if (event.type === 'tool-call-delta') this.#text += event.arguments;
      else if (event.type === 'response-end') {
        const usage = this.#usage(event.usage);
        if (usage !== event.usage) complete = batch.map((each) => (each.type === 'response-end' ? { ...each, usage } : each));
        this.#book(usage);
      }
    }
    return complete ?? batch;
  }

  #usage(reported: Usage | null): Usage {
    const run = this.#run;
    if (this.#request === null) return run.spent.usage ?? nothingUsed;
    return completedUsage(reported ?? run.usage, this.#request.body, this.#text);
  }

  /** Estimates one token per four bytes of a request and per three characters of an answer. */
  #roughUsage(request: ChatRequest): Usage {
    this.#requestBytes ??= request.raw?.length ?? JSON.stringify(request.body).length;
    return { inputTokens: Math.ceil(this.#requestBytes / 4), outputTokens: Math.ceil(this.#text.length / 3), estimated: true };
  }

  #book(usage: Usage): void {
    if (this.#request !== null) this.#run.used(usage);
  }

  #end(outcome: Outcome, error?: ErrorCode): void {
    this.#ended = true;
    if (this.#retained !== null) this.#run.answered(this.#retained.answer());
    this.#run.end(outcome, error);
  }
}

/**
 * Passes the events on and ends the run with them. A `response-end` without usage gets an estimate, marked as such; so does an
 * interrupted answer with output. `request` null: a run that consists of child runs. Its `response-end` contains the sum of their usage.
 */
export function recordRun(run: Run, request: ChatRequest | null, events: ChatEvents): BatchSource<Batch> {
  return new RecordedAnswer(run, request, pushBatches(events));
}

/** As `recordRun`, for an answer from the cache: its usage is that of the call that was cached, and this run has used nothing. */
export function recordReplay(run: Run, events: ChatEvents): BatchSource<Batch> {
  return new RecordedAnswer(run, null, pushBatches(events), true);
}
