/** Two concurrent attempts: the second starts when the first takes too long. The first answer wins, and the other attempt is ended. */
import { Cancellation, cancellationWithin } from '../scheduling/cancellation.ts';
import type { CallSignal } from '../types/call-signal.ts';
import { toGatewayError } from '../types/errors.ts';
import type { Deployment } from '../types/snapshot.ts';
import { type AttemptSignals, Dropped } from './attempt-recorder.ts';

export interface Racer<T> {
  readonly deployment: Deployment;
  start(signals: AttemptSignals): Promise<T>;
}

export interface HedgeOptions<T> {
  readonly first: Racer<T>;
  readonly afterMs: number;
  /** Called once, when the delay is over; null when no deployment is available. */
  second(): Racer<T> | null;
  /** The caller's signal. */
  readonly signal: CallSignal;
  /** Disposes of an answer that arrived too late to cancel. */
  discard(value: T): void;
}

export interface Winner<T> {
  readonly deployment: Deployment;
  readonly value: T;
}

type Outcome<T> = { readonly value: T } | { readonly error: unknown };

/** One attempt in progress. */
interface Running<T> {
  readonly deployment: Deployment;
  /** Never rejects. */
  readonly outcome: Promise<Outcome<T>>;
  drop(): void;
}

function start<T>(racer: Racer<T>, options: HedgeOptions<T>): Running<T> {
  const dropped = new Cancellation();
  const either = cancellationWithin(options.signal);
  dropped.addEventListener('abort', () => either.abort(dropped.reason));
  const outcome = racer.start({ signal: either, dropped }).then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  return {
    deployment: racer.deployment,
    outcome,
    drop() {
      dropped.abort(new Dropped('another attempt was faster'));
      outcome
        .then((late) => {
          if ('value' in late) options.discard(late.value);
        })
        .catch(() => {});
    },
  };
}

/** The outcome, or null when the time is over. */
async function within<T>(outcome: Promise<T>, milliseconds: number): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const time = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), milliseconds);
  });
  try {
    return await Promise.race([outcome, time]);
  } finally {
    clearTimeout(timer);
  }
}

function winnerOf<T>(deployment: Deployment, outcome: Outcome<T>): Winner<T> {
  if ('error' in outcome) throw outcome.error;
  return { deployment, value: outcome.value };
}

/** True when a failure of the first attempt goes to the caller at once. The second attempt counts only when the failure allows another deployment. */
function isFinal(error: unknown): boolean {
  return !toGatewayError(error).retryable;
}

/** The first answer of the two. Throws when both failed, or when the first fails with an error that must not be tried elsewhere. */
export async function hedged<T>(options: HedgeOptions<T>): Promise<Winner<T>> {
  const first = start(options.first, options);
  const early = await within(first.outcome, options.afterMs);
  if (early !== null) return winnerOf(first.deployment, early);
  const racer = options.signal.aborted ? null : options.second();
  if (racer === null) return winnerOf(first.deployment, await first.outcome);
  const second = start(racer, options);
  const [running, outcome] = await Promise.race([
    first.outcome.then((each) => [first, each] as const),
    second.outcome.then((each) => [second, each] as const),
  ]);
  const other = running === first ? second : first;
  if ('value' in outcome || (running === first && isFinal(outcome.error))) {
    other.drop();
    return winnerOf(running.deployment, outcome);
  }
  // One failed; the other one decides.
  const last = await other.outcome;
  if ('error' in last && !isFinal(last.error) && isFinal(outcome.error)) throw outcome.error;
  return winnerOf(other.deployment, last);
}
