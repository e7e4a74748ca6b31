/**
 * One attempt at one deployment, the only path of a chat's answer. The upstream socket's read calls it. On that turn the events are
 * decoded, checked, and written to the sink of the answer. They are held until one is visible, or until the answer is whole. One clock
 * holds the time limits. A keep-alive comment during a vendor's silence belongs to the sink (`src/api/answers/stream-writer.ts`).
 */
import type { AnswerListener, AnswerReceiver } from '../models/answer-receiver.ts';
import { choicesOf } from '../models/choice-count.ts';
import { isStreamed, type ModelInvoker } from '../models/invoke.ts';
import { pullBatches } from '../streaming/pulled-batches.ts';
import { personKey } from '../types/access.ts';
import type { BatchSink, BatchSource, ReaderFailure } from '../types/batch-source.ts';
import type { ChatEvent, ChatRequest } from '../types/chat.ts';
import { GatewayError } from '../types/errors.ts';
import type { Deployment, ModelEntry } from '../types/snapshot.ts';
import { AttemptClock, type Limit } from './attempt-clock.ts';
import { AttemptRecorder, type RecorderContext, consumerFailed, consumerLeft, consumerStalled } from './attempt-recorder.ts';
import { type FirstTokenLimit, firstTokenLimit } from './first-token-limit.ts';
import { HeldEvents } from './held-events.ts';

export interface AttemptContext extends RecorderContext {
  readonly invoker: ModelInvoker;
  /** The deadline of the whole call, epoch milliseconds. */
  readonly totalAt: number;
}

/** How the answer is delivered. */
export interface ChatAttemptOptions {
  /** True for a stream. */
  readonly stream: boolean;
  /** True when the attempt lasts until the whole answer: a failure at any point allows another deployment. */
  readonly whole: boolean;
  /** The beginning of the answer, already delivered; the model continues it. */
  readonly prefill?: string | undefined;
}

type Batch = readonly ChatEvent[];

export interface AttemptAnswer {
  readonly events: AsyncIterable<Batch>;
  readonly warnings: readonly string[];
  /** Further attempts at the same deployment that this answer took. */
  readonly repairs?: number;
}

function isVisible({ type }: ChatEvent): boolean {
  return type !== 'response-start' && type !== 'step' && type !== 'response-end' && type !== 'vendor';
}

class ChatAttempt implements AnswerListener, BatchSource<Batch> {
  /** Resolves at the first visible event, or with the whole answer. */
  readonly answered: Promise<AttemptAnswer>;
  readonly #resolve: (answer: AttemptAnswer) => void;
  readonly #reject: (thrown: unknown) => void;
  readonly #context: AttemptContext;
  readonly #recorder: AttemptRecorder;
  readonly #clock: AttemptClock;
  readonly #idleMs: number;
  readonly #isWhole: boolean;
  /** Null for a whole answer of the vendor. */
  #firstToken: FirstTokenLimit | null = null;
  readonly #held = new HeldEvents();
  #answer: AnswerReceiver | null = null;
  #sink: BatchSink<Batch> | null = null;
  #state: 'waiting' | 'answered' | 'over' = 'waiting';
  /** The end of an answer that no sink has read yet. */
  #end: { readonly failure: unknown } | 'complete' | null = null;
  #hasVisible = false;
  #isSinkFull = false;

  constructor(deployment: Deployment, model: ModelEntry, request: ChatRequest, options: ChatAttemptOptions, context: AttemptContext) {
    const { limits } = model.spec;
    const { signal, totalAt, invoker, run } = context;
    const { promise, resolve, reject } = Promise.withResolvers<AttemptAnswer>();
    this.answered = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#context = context;
    this.#idleMs = limits.idle_ms;
    this.#isWhole = options.whole;
    this.#recorder = new AttemptRecorder(deployment, context, options.whole, choicesOf(request.body));
    this.#clock = new AttemptClock({ at: totalAt, milliseconds: limits.total_ms }, this.#onExpiry);
    if (signal.aborted) {
      this.fail(signal.reason);
      return;
    }
    signal.addEventListener('abort', this.#onLeft, { once: true });
    this.#firstToken = isStreamed(deployment, options.stream) ? firstTokenLimit(model, deployment, request.body) : null;
    if (this.#firstToken === null) this.#clock.set('first byte', limits.first_byte_ms);
    else this.#clock.set('first token', this.#firstToken.milliseconds);
    try {
      const { stream, prefill } = options;
      const answer = invoker.chat(
        deployment,
        request,
        { stream, scope: personKey(run.start.principal), prefill, traceparent: run.traceparent },
        this,
      );
      this.#answer = answer;
      if (this.#isOver) answer.abort();
    } catch (thrown) {
      this.fail(thrown);
    }
  }

  /** A method, because the answer may fail while its request is sent. */
  get #isOver(): boolean {
    return this.#state === 'over' || this.#end !== null;
  }

  accepted(status: number): void {
    this.#recorder.answered(status);
  }

  alive(): void {
    if (this.#state !== 'waiting' || this.#hasVisible) return;
    if (this.#firstToken === null) this.#clock.pause();
    else if (this.#firstToken.isRenewed) this.#clock.set('first token', this.#firstToken.milliseconds);
  }

  batch(events: Batch): void {
    const last = events.at(-1);
    if (last?.type === 'response-end') {
      const usage = this.#recorder.used(last.usage);
      this.#complete(usage === last.usage ? events : [...events.slice(0, -1), { ...last, usage }]);
      return;
    }
    if (this.#sink !== null) {
      this.#write(this.#sink, events);
      return;
    }
    const refused = this.#held.add(events);
    if (refused !== null) {
      this.fail(refused);
      return;
    }
    if (this.#state !== 'waiting') {
      this.#answer?.pause();
      return;
    }
    if (!this.#hasVisible) {
      if (!events.some(isVisible)) return;
      this.#hasVisible = true;
      this.#recorder.visible();
    }
    if (this.#isWhole) this.#clock.set('idle', this.#idleMs);
    else this.#settle();
  }

  /** The events of the answer from now on belong to a reader, whose slowness is not the vendor's fault. */
  #settle(): void {
    this.#state = 'answered';
    this.#clock.pause();
    this.#resolve({ events: this, warnings: this.#answer?.warnings ?? [] });
  }

  #complete(events: Batch): void {
    if (this.#state === 'waiting') {
      if (!this.#hasVisible && !events.some(isVisible)) {
        this.fail(new GatewayError('upstream_invalid_response', 'The vendor sent an answer without any content.'));
        return;
      }
      this.#recorder.visible();
    }
    // Recorded before the last events are emitted, so that a client that has read them finds the attempt in the ledger.
    this.#close(null);
    if (this.#sink !== null) {
      this.#state = 'over';
      this.#sink.end(events);
      return;
    }
    this.#held.add(events);
    this.#end = 'complete';
    if (this.#state === 'answered') return;
    this.#state = 'answered';
    const warnings = this.#answer?.warnings ?? [];
    this.#resolve({ events: this, warnings: this.#recorder.warnings.length === 0 ? warnings : [...warnings, ...this.#recorder.warnings] });
  }

  #write(sink: BatchSink<Batch>, events: Batch): void {
    this.#isSinkFull = !sink.write(events);
    if (this.#isOver) return;
    if (!this.#isSinkFull) {
      this.#clock.set('idle', this.#idleMs);
      return;
    }
    // While the reader causes backpressure, silence is not the vendor's fault.
    this.#clock.pause();
    this.#answer?.pause();
  }

  start(sink: BatchSink<Batch>): void {
    if (this.#end === 'complete') {
      this.#state = 'over';
      sink.end(this.#held.take());
      return;
    }
    if (this.#end !== null) {
      this.#state = 'over';
      const events = this.#held.take();
      if (events.length > 0) sink.write(events);
      sink.fail(this.#end.failure);
      return;
    }
    this.#sink = sink;
    this.#write(sink, this.#held.take());
    if (!this.#isSinkFull && !this.#isOver) this.#answer?.resume();
  }

  resume(): void {
    if (!this.#isSinkFull || this.#isOver) return;
    this.#isSinkFull = false;
    this.#clock.set('idle', this.#idleMs);
    this.#answer?.resume();
  }

  cancel(failure?: ReaderFailure): void {
    if (this.#isOver) return;
    this.#state = 'over';
    const { signal } = this.#context;
    this.#close(signal.aborted ? signal.reason : failure === undefined ? consumerLeft() : consumerFailed());
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Batch, undefined> {
    return pullBatches(this);
  }

  end(): void {
    this.fail(
      this.#state === 'waiting' && !this.#hasVisible
        ? new GatewayError('upstream_invalid_response', 'The vendor sent an empty answer.')
        : new GatewayError('upstream_interrupted', 'The vendor ended the stream before the answer was complete.'),
    );
  }

  readonly #onLeft = (): void => this.fail(this.#context.signal.reason);

  readonly #onExpiry = (limit: Limit, failure: GatewayError): void => {
    if (limit === 'idle' && this.#answer?.endIfFinished() === true) return;
    // The deployment's permit is released on time even when the reader does not read; the delay is not the deployment's fault.
    const isReaderSlow = this.#isSinkFull || (this.#state === 'answered' && this.#sink === null);
    this.#fail(failure, isReaderSlow ? consumerStalled() : failure);
  };

  fail(thrown: unknown): void {
    this.#fail(thrown, thrown);
  }

  #fail(thrown: unknown, recorded: unknown): void {
    if (this.#isOver) return;
    const wasWaiting = this.#state === 'waiting';
    // Nothing of it has reached the caller, and the vendor may bill it.
    if (!this.#hasVisible) this.#recorder.used(this.#answer?.usage ?? null);
    this.#close(recorded);
    if (wasWaiting) {
      this.#state = 'over';
      this.#reject(thrown);
    } else if (this.#sink === null) this.#end = { failure: thrown };
    else {
      this.#state = 'over';
      this.#sink.fail(thrown);
    }
  }

  #close(failure: unknown): void {
    this.#clock.clear();
    this.#context.signal.removeEventListener('abort', this.#onLeft);
    this.#recorder.end(failure);
    this.#answer?.abort();
  }
}

/** Resolves with the answer at its first visible event, or when it is whole. Rejects when it fails before. */
export function attemptChat(
  deployment: Deployment,
  model: ModelEntry,
  request: ChatRequest,
  options: ChatAttemptOptions,
  context: AttemptContext,
): Promise<AttemptAnswer> {
  return new ChatAttempt(deployment, model, request, options, context).answered;
}
