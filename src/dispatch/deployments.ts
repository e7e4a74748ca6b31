/** The live state of every deployment on this node: load, limits, circuit. One door that each attempt goes in and out by. */
import type { DeploymentLoad } from '../types/dispatch.ts';
import type { GatewayError } from '../types/errors.ts';
import type { ModelSpec } from '../types/resources.ts';
import type { Deployment } from '../types/snapshot.ts';
import { Circuit, type CircuitState, type CircuitTurn } from './circuit.ts';
import { MinuteWindow } from './minute-window.ts';
import { LatencyWindow } from './latency-window.ts';

export interface DeploymentNumbers extends DeploymentLoad {
  readonly attempts: number;
  readonly failures: number;
  readonly circuit: CircuitState;
  /** The last probe; null where there was none. */
  readonly probe: ProbeResult | null;
}

/** How a probe came out. */
export interface ProbeResult {
  /** When it began, epoch milliseconds. */
  readonly at: number;
  /** Null: it says nothing of the deployment, such as a limit. */
  readonly ok: boolean | null;
  /** Why it is not well, for operators; null where it is. */
  readonly reason: string | null;
  readonly latencyMs: number;
}

/** Why a deployment takes no call now, and for how long about. */
export interface Refusal {
  readonly reason: 'circuit open' | 'told to wait' | 'concurrency' | 'requests per minute' | 'tokens per minute';
  readonly waitMs: number;
}

/** One attempt's stay. `end` once, with how it came out. */
export interface Permit {
  /** A first token has come. That is proof enough for a circuit: nobody waits for the end of a long answer. */
  works(): void;
  end(result: {
    readonly error: GatewayError | null;
    readonly firstTokenMs: number | null;
    /** Where the caller waited for the whole answer and it came: how long that took. */
    readonly answerMs: number | null;
    readonly tokens: number;
  }): void;
}

/** Later attempts weigh this much in the mean time to the first token. */
const newWeight = 0.2;
/** The longest wait that a vendor is believed to mean. */
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

  constructor(changed: (turn: CircuitTurn) => void) {
    this.circuit = new Circuit(changed);
  }
}

/** What a failure says of the deployment: true, it is ill; null, nothing. */
export function isUnhealthy(error: GatewayError | null): boolean | null {
  if (error === null) return false;
  // A limit means that it works; it is told apart by `coolUntil`.
  if (error.code === 'rate_limited') return null;
  // The vendor is well; the row names what it does not have, and the caller is to hear of that each time.
  if (error.code === 'upstream_model_not_found') return null;
  return error.retryable ? true : null;
}

function failedOf(result: ProbeResult | null): boolean | null {
  return result === null || result.ok === null ? null : !result.ok;
}

/** `turn.by` probes: `reason` is what the last one found. */
export type CircuitListener = (deployment: string, turn: CircuitTurn & { readonly reason: string | null }) => void;

export class Deployments {
  readonly #states = new Map<string, State>();
  readonly #onCircuit: CircuitListener;
  readonly #waiting = new Set<() => void>();

  /** `onCircuit` hears every turn of a circuit, by the deployment's key. */
  constructor(onCircuit: CircuitListener = () => {}) {
    this.#onCircuit = onCircuit;
  }

  #state(key: string): State {
    const state = this.#states.get(key);
    if (state !== undefined) return state;
    const made = new State((turn) => this.#onCircuit(key, { ...turn, reason: turn.by === 'probes' ? (made.probe?.reason ?? null) : null }));
    this.#states.set(key, made);
    return made;
  }

  load(deployment: Deployment): DeploymentLoad {
    return this.#state(deployment.key);
  }

  /** Null if an attempt may go in now. `early`: a probe, for which an open circuit has no pause. */
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

  /** Goes in, or tells why not. */
  enter(deployment: Deployment, rules: ModelSpec['circuit'], now: number, early = false): Permit | Refusal {
    const refused = this.refusal(deployment, rules, now, early);
    if (refused !== null) return refused;
    const state = this.#state(deployment.key);
    let trial = state.circuit.enter();
    state.inFlight++;
    state.attempts++;
    state.requests.add(1, now);
    let ended = false;
    return {
      works: () => {
        if (!trial || ended) return;
        trial = false;
        state.circuit.leave(false, true, rules, Date.now());
        this.#wake();
      },
      end: ({ error, firstTokenMs, answerMs, tokens }) => {
        if (ended) return;
        ended = true;
        const at = Date.now();
        const ill = isUnhealthy(error);
        state.inFlight--;
        if (ill === true) state.failures++;
        if (error !== null && error.retryable && error.retryAfterSeconds !== undefined)
          state.coolUntil = Math.max(state.coolUntil, at + Math.min(error.retryAfterSeconds * 1_000, longestCoolMs));
        if (tokens > 0) state.tokens.add(tokens, at);
        if (firstTokenMs !== null)
          state.firstTokenMs = state.firstTokenMs === null ? firstTokenMs : state.firstTokenMs * (1 - newWeight) + firstTokenMs * newWeight;
        if (answerMs !== null) state.answers.add(answerMs);
        else if (firstTokenMs !== null) state.firstTokens.add(firstTokenMs);
        state.circuit.leave(ill, trial, rules, at);
        this.#wake();
      },
    };
  }

  /** A probe that is no attempt begins: `end` once. Null: it is not wanted now, for a call is trying. */
  ask(deployment: Deployment, failures: number): { end(result: ProbeResult | null): void } | null {
    const state = this.#state(deployment.key);
    const place = state.circuit.ask();
    if (place === null) return null;
    return {
      end: (result) => {
        state.probe = result ?? state.probe;
        state.circuit.asked(failedOf(result), place.trial, failures, Date.now());
        this.#wake();
      },
    };
  }

  /** A probe that was an attempt too has ended. */
  probed(deployment: Deployment, failures: number, result: ProbeResult): void {
    const state = this.#state(deployment.key);
    state.probe = result;
    state.circuit.probed(failedOf(result), failures, Date.now());
  }

  /** It is probed no more, or in another way. */
  forgetProbe(key: string): void {
    const state = this.#states.get(key);
    if (state !== undefined) state.probe = null;
  }

  /** The time within which so many in a hundred of its latest attempts showed a first token, or their whole answer; null if too few are known. */
  usual(deployment: Deployment, what: 'first token' | 'answer', percentile: number, samples: number): number | null {
    const state = this.#state(deployment.key);
    return (what === 'answer' ? state.answers : state.firstTokens).percentile(percentile, samples);
  }

  /** Resolves when an attempt somewhere has ended, or after `milliseconds`. */
  async change(milliseconds: number, signal: AbortSignal): Promise<void> {
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

  #wake(): void {
    if (this.#waiting.size === 0) return;
    for (const wake of this.#waiting) wake();
  }

  all(): Readonly<Record<string, DeploymentNumbers>> {
    return Object.fromEntries(
      [...this.#states].map(([key, { inFlight, attempts, failures, firstTokenMs, circuit, probe }]) => [
        key,
        { inFlight, attempts, failures, firstTokenMs, circuit: circuit.state, probe },
      ]),
    );
  }

  /** Forgets deployments that are configured no more and have nothing under way. */
  keepOnly(keys: ReadonlySet<string>): void {
    for (const [key, state] of this.#states) if (!keys.has(key) && state.inFlight === 0) this.#states.delete(key);
  }
}
