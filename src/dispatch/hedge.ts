/** Two attempts beside each other: the second begins when the first takes too long, the first answer counts, the other attempt is ended. */
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
  /** Asked once, when the time is up; null when there is nobody to ask. */
  second(): Racer<T> | null;
  /** The caller's. */
  readonly signal: AbortSignal;
  /** Takes back an answer that came too late to stop. */
  discard(value: T): void;
}

export interface Winner<T> {
  readonly deployment: Deployment;
  readonly value: T;
}

type Outcome<T> = { readonly value: T } | { readonly error: unknown };

/** One attempt under way. */
interface Running<T> {
  readonly deployment: Deployment;
  /** Never rejects. */
  readonly outcome: Promise<Outcome<T>>;
  drop(): void;
}

function start<T>(racer: Racer<T>, options: HedgeOptions<T>): Running<T> {
  const own = new AbortController();
  const signals = { signal: AbortSignal.any([options.signal, own.signal]), dropped: own.signal };
  const outcome = racer.start(signals).then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  return {
    deployment: racer.deployment,
    outcome,
    drop() {
      own.abort(new Dropped('another attempt was faster'));
      outcome
        .then((late) => {
          if ('value' in late) options.discard(late.value);
        })
        .catch(() => {});
    },
  };
}

/** The time is up, or `outcome` is there. */
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

/** What the first attempt tells the caller is told; what the second does counts only if the first may be asked elsewhere. */
function isFinal(error: unknown): boolean {
  return !toGatewayError(error).retryable;
}

/** The first answer of the two. Throws when both have failed, or when the first fails with what must not be tried elsewhere. */
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
  // One has failed; the other goes on.
  const last = await other.outcome;
  if ('error' in last && !isFinal(last.error) && isFinal(outcome.error)) throw outcome.error;
  return winnerOf(other.deployment, last);
}
