/** One try at one deployment: held back until something is visible, then passed on under the time limits. */
import type { ModelInvoker } from '../models/invoke.ts';
import { oneBatch } from '../models/one-batch.ts';
import type { Run } from '../telemetry/run.ts';
import type { ChatEvent, ChatEvents, ChatRequest } from '../types/chat.ts';
import { GatewayError, toGatewayError } from '../types/errors.ts';
import type { AttemptRecord, Outcome } from '../types/run.ts';
import type { Deployment, ModelEntry } from '../types/snapshot.ts';
import { Deadlines } from './deadlines.ts';
import type { Permit } from './deployments.ts';

export interface AttemptContext {
  readonly invoker: ModelInvoker;
  /** The deployment's door, which the attempt has gone in by. */
  readonly permit: Permit;
  readonly run: Run;
  readonly signal: AbortSignal;
  /** When the whole call must have ended, epoch milliseconds. */
  readonly totalAt: number;
}

export interface AttemptAnswer {
  readonly events: ChatEvents;
  readonly warnings: readonly string[];
}

/** After the last choice has finished, so long for the usage to come. */
const usageGraceMs = 2_000;

/** Books an attempt once, when it has ended one way or another. */
export class AttemptBook {
  readonly #deployment: Deployment;
  readonly #context: Pick<AttemptContext, 'permit' | 'run'>;
  readonly #startedAt = Date.now();
  #firstTokenAt: number | null = null;
  #status: number | null = null;
  #ended = false;

  constructor(deployment: Deployment, context: Pick<AttemptContext, 'permit' | 'run'>) {
    this.#deployment = deployment;
    this.#context = context;
  }

  answered(status: number): void {
    this.#status = status;
  }

  visible(): void {
    this.#firstTokenAt ??= Date.now();
  }

  end(thrown: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    const error = thrown === null ? null : toGatewayError(thrown);
    const outcome: Outcome = error === null ? 'complete' : error.code === 'client_closed_request' ? 'aborted' : 'error';
    const { attempts, usage } = this.#context.run;
    this.#context.permit.end({
      error,
      firstTokenMs: this.#firstTokenAt === null ? null : this.#firstTokenAt - this.#startedAt,
      tokens: usage === null ? 0 : usage.inputTokens + usage.outputTokens,
    });
    const record: AttemptRecord = {
      number: attempts.length + 1,
      deployment: this.#deployment.id,
      provider: this.#deployment.provider.name,
      upstreamModel: this.#deployment.model,
      startedAt: this.#startedAt,
      firstTokenAt: this.#firstTokenAt,
      endedAt: Date.now(),
      outcome,
      status: this.#status ?? statusIn(error),
      error: error?.code ?? null,
      detail: error === null ? null : detailOf(error),
    };
    attempts.push(record);
  }
}

function statusIn(error: GatewayError | null): number | null {
  const status = (error?.details as { status?: unknown } | undefined)?.status;
  return typeof status === 'number' ? status : null;
}

function detailOf(error: GatewayError): string | null {
  if (error.details === undefined) return null;
  return (typeof error.details === 'string' ? error.details : JSON.stringify(error.details)).slice(0, 1_000);
}

function isVisible(event: ChatEvent): boolean {
  return event.type !== 'response-start' && event.type !== 'step' && event.type !== 'response-end' && event.type !== 'vendor';
}

/**
 * Resolves with the whole event stream of the answer once its first visible event has come; rejects if it fails before.
 * Each later batch costs one promise; the limits are checked by one timer.
 */
export async function attemptChat(
  deployment: Deployment,
  model: ModelEntry,
  request: ChatRequest,
  stream: boolean,
  context: AttemptContext,
): Promise<AttemptAnswer> {
  const { run } = context;
  const { limits } = model.spec;
  const book = new AttemptBook(deployment, context);
  const deadlines = new Deadlines(context.signal, { at: context.totalAt, milliseconds: limits.total_ms });
  /** What the failure was in truth: a limit that passed, or the caller who left, shows up as an aborted socket. */
  const truth = (thrown: unknown): unknown => deadlines.failure ?? (context.signal.aborted ? context.signal.reason : thrown);
  try {
    deadlines.set('first token', stream ? limits.first_token_ms : limits.total_ms);
    const { tenant, issuer, subject } = run.start.principal;
    const answer = await context.invoker.chat(deployment, request, {
      stream,
      signal: deadlines.signal,
      scope: `${tenant}\n${issuer}\n${subject}`,
    });
    book.answered(answer.status);
    const source = answer.events[Symbol.asyncIterator]();
    const held: ChatEvent[] = [];
    let seen = false;
    while (!seen) {
      const next = await source.next();
      if (next.done === true) throw new GatewayError('upstream_invalid_response', 'The vendor sent an empty answer.');
      for (const event of next.value) {
        held.push(event);
        seen ||= isVisible(event);
      }
      if (!seen && held.at(-1)?.type === 'response-end')
        throw new GatewayError('upstream_invalid_response', 'The vendor sent an answer without any content.');
    }
    book.visible();
    run.firstToken();
    const last = held.at(-1);
    if (last?.type === 'response-end') {
      if (last.usage !== null) run.used(last.usage);
      deadlines.clear();
      book.end(null);
      await source.return?.();
      return { warnings: answer.warnings, events: oneBatch(() => held) };
    }
    return { warnings: answer.warnings, events: rest(held, source, { book, deadlines, truth, run, idleMs: limits.idle_ms }) };
  } catch (thrown) {
    deadlines.clear();
    const failure = truth(thrown);
    book.end(failure);
    throw failure;
  }
}

interface Rest {
  readonly book: AttemptBook;
  readonly deadlines: Deadlines;
  readonly truth: (thrown: unknown) => unknown;
  readonly run: Run;
  readonly idleMs: number;
}

async function* rest(
  held: readonly ChatEvent[],
  source: AsyncIterator<readonly ChatEvent[]>,
  { book, deadlines, truth, run, idleMs }: Rest,
): AsyncGenerator<readonly ChatEvent[]> {
  const begun = new Set<number>();
  const finished = new Set<number>();
  let complete = false;
  const look = (batch: readonly ChatEvent[]): void => {
    for (const event of batch) {
      if (event.type === 'response-end') {
        complete = true;
        if (event.usage !== null) run.used(event.usage);
      } else if (event.type === 'finish') {
        begun.add(event.choice);
        finished.add(event.choice);
      } else if (event.type !== 'response-start' && event.type !== 'step' && event.type !== 'vendor') begun.add(event.choice);
    }
  };
  /** Undefined: the reader left before the answer was complete. */
  let failure: unknown;
  try {
    let batch = held;
    for (;;) {
      look(batch);
      if (complete) {
        // Booked before the last words go out, so that whoever has read them finds the attempt in the ledger.
        failure = null;
        book.end(null);
        deadlines.clear();
        yield batch;
        return;
      }
      // While the reader holds us back, silence is not the vendor's fault.
      deadlines.pause();
      yield batch;
      deadlines.set('idle', begun.size > 0 && finished.size === begun.size ? usageGraceMs : idleMs);
      const next = await source.next();
      if (next.done === true) throw new GatewayError('upstream_interrupted', 'The vendor ended the stream before the answer was complete.');
      batch = next.value;
    }
  } catch (thrown) {
    if (deadlines.failure !== null && begun.size > 0 && finished.size === begun.size) {
      // Every choice has its finish reason; only the usage never came.
      failure = null;
      yield [{ type: 'response-end', usage: null }];
      return;
    }
    failure = truth(thrown);
    throw failure;
  } finally {
    deadlines.clear();
    book.end(
      failure === undefined ? new GatewayError('client_closed_request', 'The reader left before the answer was complete.') : failure,
    );
    await source.return?.();
  }
}
