/** Records one attempt at one deployment: in the ledger, and in the deployment's state. */
import { billOf } from '../telemetry/attempt-usage.ts';
import type { Run } from '../telemetry/run.ts';
import type { CallSignal } from '../types/call-signal.ts';
import type { Usage } from '../types/chat.ts';
import { GatewayError, toGatewayError } from '../types/errors.ts';
import type { AttemptRecord, Outcome } from '../types/run.ts';
import type { Deployment } from '../types/snapshot.ts';
import type { Permit } from './deployments.ts';
import { type ModelBounds, plausible } from './plausible-usage.ts';
import { monotonicNow } from '../scheduling/monotonic-clock.ts';

export interface AttemptSignals {
  /** Ends the attempt: the caller left, or the attempt is no longer needed. */
  readonly signal: CallSignal;
  /** Fires only when the attempt is no longer needed. It is recorded at once then, however late the vendor reacts. */
  readonly dropped?: CallSignal | undefined;
}

export interface RecorderContext extends AttemptSignals {
  /** The deployment's permit for this attempt. */
  readonly permit: Permit;
  readonly run: Run;
}

/** The reason when Pailou ends a healthy attempt. It says nothing about the deployment. */
export class Dropped extends GatewayError {
  constructor(why: string) {
    super('client_closed_request', why, { details: why });
  }
}

/** The reader left before the answer was complete. */
export function consumerLeft(): GatewayError {
  return new GatewayError('client_closed_request', 'The reader left before the answer was complete.');
}

/** The reader could not go on. The error of the run says why. */
export function consumerFailed(): GatewayError {
  return new Dropped('The answer could not be written in the format of the client.');
}

/** The call's time was over, and the reader had not read the available part. */
export function consumerStalled(): GatewayError {
  return new GatewayError('client_closed_request', 'The call reached its time limit while its reader did not read.');
}

/** Records an attempt once, whatever its outcome. */
export class AttemptRecorder {
  readonly #deployment: Deployment;
  readonly #context: RecorderContext;
  readonly #isWhole: boolean;
  readonly #answers: number | undefined;
  readonly #startedAt = Date.now();
  readonly #began = monotonicNow();
  #firstTokenAt: number | null = null;
  #status: number | null = null;
  #usage: Usage | null = null;
  /** Warnings about implausible counts of an otherwise valid answer. */
  readonly warnings: string[] = [];
  #ended = false;

  /** `isWhole`: latency is measured to the whole answer. `answers`: the number of choices that a chat requests. */
  constructor(deployment: Deployment, context: RecorderContext, isWhole: boolean, answers?: number) {
    this.#deployment = deployment;
    this.#context = context;
    this.#isWhole = isWhole;
    this.#answers = answers;
    const { dropped } = context;
    dropped?.addEventListener('abort', () => this.end(dropped.reason), { once: true });
  }

  /** The wall clock at the start, plus the time since. */
  #now(): number {
    return this.#startedAt + monotonicNow() - this.#began;
  }

  answered(status: number): void {
    this.#status = status;
  }

  visible(): void {
    this.#firstTokenAt ??= this.#now();
    this.#context.permit.works();
  }

  /** The plausible counts; null when they must be estimated. */
  used(usage: Usage | null): Usage | null {
    if (usage === null) return null;
    const known = plausible(usage, this.#bounds, (text) => this.warnings.push(text));
    if (known !== null) this.#usage = known;
    return known;
  }

  /** A list of embedding inputs may exceed the model's context, which limits each text. */
  get #bounds(): ModelBounds | null {
    const answers = this.#answers;
    return this.#context.run.billedAs === 'chat' && answers !== undefined
      ? { contextTokens: this.#deployment.known?.context_window, answers }
      : null;
  }

  /** The usage of the attempt, at the deployment's price. */
  #cost(): Pick<AttemptRecord, 'usage' | 'cost' | 'costFemto' | 'currency'> {
    const usage = this.#usage;
    if (usage === null) return {};
    return billOf(usage, this.#deployment.price, { operation: this.#context.run.billedAs, at: this.#startedAt });
  }

  end(thrown: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    const error = thrown === null ? null : toGatewayError(thrown);
    // The call was ended on this side, so the deployment is not at fault.
    const endedHere = error !== null && (error.code === 'client_closed_request' || error === this.#context.signal.reason);
    const outcome: Outcome = error === null ? 'complete' : endedHere ? 'aborted' : 'error';
    const endedAt = this.#now();
    this.#context.permit.end({
      error,
      firstTokenMs: this.#firstTokenAt === null || error instanceof Dropped ? null : this.#firstTokenAt - this.#startedAt,
      answerMs: this.#isWhole && error === null ? endedAt - this.#startedAt : null,
      tokens: this.#usage === null ? 0 : this.#usage.inputTokens + this.#usage.outputTokens,
    });
    const { run } = this.#context;
    const record: AttemptRecord = {
      number: run.attempts.length + 1,
      deployment: this.#deployment.id,
      provider: this.#deployment.provider.name,
      upstreamModel: this.#deployment.model,
      startedAt: this.#startedAt,
      firstTokenAt: this.#firstTokenAt,
      endedAt,
      outcome,
      status: this.#status ?? statusIn(error),
      error: error === null || error instanceof Dropped ? null : error.code,
      // What the vendor said may name the account or the address of the tenant that shares the model.
      detail: this.#deployment.sharedBy !== undefined ? null : error === null ? (this.warnings[0] ?? null) : detailOf(error),
      ...this.#cost(),
    };
    run.attempted(record, this.#deployment.price);
  }
}

/** The HTTP status of the vendor; null when it sent none. */
export function statusIn(error: GatewayError | null): number | null {
  const status = (error?.details as { status?: unknown } | undefined)?.status;
  return typeof status === 'number' ? status : null;
}

function detailOf(error: GatewayError): string | null {
  if (error.details === undefined) return null;
  return (typeof error.details === 'string' ? error.details : JSON.stringify(error.details)).slice(0, 1_000);
}
