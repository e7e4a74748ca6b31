/** The live state of every deployment on this node: load, limits, circuit. Each attempt enters and leaves through a permit. */
import type { CallSignal } from '../types/call-signal.ts';
import type { DeploymentLoad, DeploymentUpdate } from '../types/dispatch.ts';
import type { GatewayError } from '../types/errors.ts';
import type { ModelSpec } from '../types/resources.ts';
import type { ChangedModel, Deployment } from '../types/snapshot.ts';
import { Circuit, type CircuitState, type CircuitTurn } from './circuit.ts';
import { MinuteWindow } from './minute-window.ts';
import { LatencyWindow } from './latency-window.ts';
import { monotonicNow } from '../scheduling/monotonic-clock.ts';

export interface DeploymentNumbers extends DeploymentLoad {
  readonly attempts: number;
  readonly failures: number;
  readonly circuit: CircuitState;
  /** The last probe; null without one. */
  readonly probe: ProbeResult | null;
}

/** The result of a probe. */
export interface ProbeResult {
  /** Start time, epoch milliseconds. */
  readonly at: number;
  /** Null when it says nothing about the deployment, such as a rate limit. */
  readonly ok: boolean | null;
  /** The fault, for operators; null when healthy. */
  readonly reason: string | null;
  readonly latencyMs: number;
}

/** Why a deployment accepts no call now, and the approximate wait. */
export interface Refusal {
  readonly reason: 'circuit open' | 'told to wait' | 'concurrency' | 'requests per minute' | 'tokens per minute';
  readonly waitMs: number;
}

/** The permit of one attempt. Call `end` once, with the outcome. */
export interface Permit {
  /** Called at the first token. It is sufficient evidence for the circuit, which need not wait for the end of a long answer. */
  works(): void;
  end(result: {
    readonly error: GatewayError | null;
    readonly firstTokenMs: number | null;
    /** The time to the whole answer, when the caller waited for it and it arrived. */
    readonly answerMs: number | null;
    readonly tokens: number;
  }): void;
}

/** The weight of a new attempt in the mean time to the first token. */
const newWeight = 0.2;
/** The longest delay that is accepted from a vendor. */
const longestCoolMs = 60_000;

class State {
  inFlight = 0;
  attempts = 0;
  failures = 0;
  firstTokenMs: number | null = null;
  coolUntil = 0;
  readonly requests = new MinuteWindow();
  readonly tokens = new MinuteWindow();
  readonly firstTokens = new LatencyWindow();
  readonly answers = new LatencyWindow();
  readonly circuit: Circuit;
  probe: ProbeResult | null = null;

  /** A vendor asked for a pause that is longer than a known one. */
  readonly paused: (waitMs: number) => void;

  constructor(changed: (turn: CircuitTurn) => void, paused: (waitMs: number) => void) {
    this.circuit = new Circuit(changed);
    this.paused = paused;
  }
}

/** Failures of a working vendor. Another deployment may do better, but the next caller may have no such request. */
const ofTheRequest: ReadonlySet<string> = new Set([
  // `coolUntil` handles a rate limit.
  'rate_limited',
  // The row names a model that the vendor lacks, and each caller gets that error.
  'upstream_model_not_found',
  'unsupported_parameter',
  'output_invalid',
]);

/** Whether a failure means that the deployment is unhealthy; null when it says nothing. */
export function isUnhealthy(error: GatewayError | null): boolean | null {
  if (error === null) return false;
  return error.retryable && !ofTheRequest.has(error.code) ? true : null;
}

class StatePermit implements Permit {
  readonly #state: State;
  readonly #rules: ModelSpec['circuit'];
  readonly #wake: () => void;
  #trial: boolean;
  #ended = false;

  constructor(state: State, rules: ModelSpec['circuit'], trial: boolean, wake: () => void) {
    this.#state = state;
    this.#rules = rules;
    this.#trial = trial;
    this.#wake = wake;
  }

  works(): void {
    if (!this.#trial || this.#ended) return;
    this.#trial = false;
    this.#state.circuit.leave(false, true, this.#rules, monotonicNow());
    this.#wake();
  }

  end({ error, firstTokenMs, answerMs, tokens }: Parameters<Permit['end']>[0]): void {
    if (this.#ended) return;
    this.#ended = true;
    const state = this.#state;
    const at = monotonicNow();
    const unhealthy = isUnhealthy(error);
    state.inFlight--;
    if (unhealthy === true) state.failures++;
    if (error !== null && error.retryable && error.retryAfterSeconds !== undefined) {
      const waitMs = Math.min(error.retryAfterSeconds * 1_000, longestCoolMs);
      if (at + waitMs > state.coolUntil) {
        state.coolUntil = at + waitMs;
        state.paused(waitMs);
      }
    }
    if (tokens > 0) state.tokens.add(tokens, at);
    if (firstTokenMs !== null)
      state.firstTokenMs = state.firstTokenMs === null ? firstTokenMs : state.firstTokenMs * (1 - newWeight) + firstTokenMs * newWeight;
    if (answerMs !== null) state.answers.add(answerMs);
    else if (firstTokenMs !== null) state.firstTokens.add(firstTokenMs);
    state.circuit.leave(unhealthy, this.#trial, this.#rules, at);
    this.#wake();
  }
}

function failedOf(result: ProbeResult | null): boolean | null {
  return result === null || result.ok === null ? null : !result.ok;
}

/** `turn.by` is probes: `reason` is the result of the last one. */
export type CircuitListener = (deployment: string, turn: CircuitTurn & { readonly reason: string | null }) => void;

export class Deployments {
  readonly #states = new Map<string, State>();
  /** Deployments that are no longer configured. */
  readonly #leaving = new Set<string>();
  readonly #onCircuit: CircuitListener;
  readonly #waiting = new Set<() => void>();
  #onUpdate: ((update: DeploymentUpdate) => void) | null = null;

  /** `onCircuit` is called at every state change of a circuit, with the deployment's key. */
  constructor(onCircuit: CircuitListener = () => {}) {
    this.#onCircuit = onCircuit;
  }

  #state(key: string): State {
    const state = this.#states.get(key);
    if (state !== undefined) return state;
    const made = new State(
      (turn) => {
        this.#onCircuit(key, { ...turn, reason: turn.by === 'probes' ? (made.probe?.reason ?? null) : null });
        if (turn.state !== 'half-open') this.#onUpdate?.({ type: 'circuit', key, state: turn.state, by: turn.by });
      },
      (waitMs) => this.#onUpdate?.({ type: 'wait', key, waitMs }),
    );
    this.#states.set(key, made);
    return made;
  }

  /** Sets the listener for what this process learns by its own calls and probes, not for what it follows. */
  onUpdate(listener: (update: DeploymentUpdate) => void): void {
    this.#onUpdate = listener;
  }

  /** Takes over what another process of this machine has learned. */
  follow(update: DeploymentUpdate): void {
    const state = this.#state(update.key);
    const now = monotonicNow();
    if (update.type === 'wait') state.coolUntil = Math.max(state.coolUntil, now + update.waitMs);
    else state.circuit.follow(update.state, update.by, now);
    this.#wake();
  }

  load(deployment: Deployment): DeploymentLoad {
    return this.#state(deployment.key);
  }

  /** Null when an attempt may start now. `early`: a token probe, which skips the pause of an open circuit. */
  refusal(deployment: Deployment, circuit: ModelSpec['circuit'], now: number, early = false): Refusal | null {
    const state = this.#state(deployment.key);
    const closed = state.circuit.closedFor(circuit, now, early);
    if (closed > 0) return { reason: 'circuit open', waitMs: closed };
    if (state.coolUntil > now) return { reason: 'told to wait', waitMs: state.coolUntil - now };
    const { concurrency, requests_per_minute: requests, tokens_per_minute: tokens } = deployment.limits;
    if (concurrency !== undefined && state.inFlight >= concurrency) return { reason: 'concurrency', waitMs: 1_000 };
    if (requests !== undefined && state.requests.sum(now) + 1 > requests)
      return { reason: 'requests per minute', waitMs: state.requests.waitFor(requests - 1, now) };
    if (tokens !== undefined && state.tokens.sum(now) >= tokens)
      return { reason: 'tokens per minute', waitMs: state.tokens.waitFor(tokens - 1, now) };
    return null;
  }

  /** Starts an attempt, or returns why it is refused. */
  enter(deployment: Deployment, rules: ModelSpec['circuit'], now: number, early = false): Permit | Refusal {
    const refused = this.refusal(deployment, rules, now, early);
    if (refused !== null) return refused;
    const state = this.#state(deployment.key);
    const trial = state.circuit.enter();
    state.inFlight++;
    state.attempts++;
    state.requests.add(1, now);
    return new StatePermit(state, rules, trial, this.#wake);
  }

  /** Starts a probe that is not an attempt; call `end` once. Null when no probe is wanted, because a call is on trial. */
  startProbe(deployment: Deployment, failures: number): { end(result: ProbeResult | null): void } | null {
    const state = this.#state(deployment.key);
    const place = state.circuit.startProbe();
    if (place === null) return null;
    return {
      end: (result) => {
        state.probe = result ?? state.probe;
        state.circuit.endProbe(failedOf(result), place.trial, failures, monotonicNow());
        this.#wake();
      },
    };
  }

  /** Records a probe that was also an attempt. */
  probed(deployment: Deployment, failures: number, result: ProbeResult): void {
    const state = this.#state(deployment.key);
    state.probe = result;
    state.circuit.countProbe(failedOf(result), failures, monotonicNow());
  }

  /** Called when the deployment is no longer probed, or probed in another way. */
  forgetProbe(key: string): void {
    const state = this.#states.get(key);
    if (state !== undefined) state.probe = null;
  }

  /** The given percentile of recent times to the first token or the whole answer; null with too few samples. */
  usual(deployment: Deployment, what: 'first token' | 'answer', percentile: number, samples: number): number | null {
    const state = this.#state(deployment.key);
    return (what === 'answer' ? state.answers : state.firstTokens).percentile(percentile, samples);
  }

  /** Resolves when any attempt has ended, or after `milliseconds`. */
  async change(milliseconds: number, signal: CallSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      signal.addEventListener('abort', done, { once: true });
      this.#waiting.add(done);
    });
  }

  readonly #wake = (): void => {
    if (this.#waiting.size === 0) return;
    for (const wake of this.#waiting) wake();
  };

  all(): Readonly<Record<string, DeploymentNumbers>> {
    return Object.fromEntries(
      [...this.#states].map(([key, { inFlight, attempts, failures, firstTokenMs, circuit, probe }]) => [
        key,
        { inFlight, attempts, failures, firstTokenMs, circuit: circuit.state, probe },
      ]),
    );
  }

  /** Removes deployments that are no longer configured and have no attempt in progress. */
  keepOnly(keys: ReadonlySet<string>): void {
    for (const [key, state] of this.#states) if (!keys.has(key) && state.inFlight === 0) this.#states.delete(key);
  }

  /** As `keepOnly`, for the deployments of changed models. One with an attempt in progress is removed by a later change. */
  leave(changed: readonly ChangedModel[]): void {
    for (const { before } of changed) for (const { key } of before?.deployments ?? []) this.#leaving.add(key);
    for (const { after } of changed) for (const { key } of after?.deployments ?? []) this.#leaving.delete(key);
    for (const key of this.#leaving) {
      if ((this.#states.get(key)?.inFlight ?? 0) > 0) continue;
      this.#states.delete(key);
      this.#leaving.delete(key);
    }
  }
}
