/** Runs and attempts: the records for traces, costs and audits. */
import type { Usage } from './chat.ts';
import type { ErrorCode } from './errors.ts';
import type { Json } from './json.ts';

export const outcomes = ['complete', 'error', 'aborted'] as const;
export type Outcome = (typeof outcomes)[number];

/** One try of a run's model call at one deployment. Times are epoch milliseconds. */
export interface AttemptRecord {
  readonly number: number;
  readonly deployment: string;
  readonly provider: string;
  readonly upstreamModel: string;
  readonly startedAt: number;
  readonly firstTokenAt: number | null;
  readonly endedAt: number;
  readonly outcome: Outcome;
  /** The vendor's HTTP status; null without a response. */
  readonly status: number | null;
  readonly error: ErrorCode | null;
  /** The vendor's message, shortened. For operators only. */
  readonly detail: string | null;
  /** The usage of this attempt as the vendor reports it. Absent when not reported and in records of older versions. */
  readonly usage?: Usage | null;
  /** The cost of that usage, as in a run. */
  readonly cost?: number | null;
  readonly costFemto?: number;
  readonly currency?: string | null;
}

/** The place of a run in a distributed trace (W3C Trace Context). */
export interface RunTrace {
  /** 32 hexadecimal digits: the caller's, or the id of the root run. */
  readonly traceId: string;
  /** The caller's span, 16 hexadecimal digits; null when the trace starts here. */
  readonly parentSpanId: string | null;
  readonly sampled: boolean;
}

/** One invocation. Written once, when it has ended. */
export interface RunRecord {
  readonly id: string;
  readonly parent: string | null;
  readonly root: string;
  /** The capability of the root run for a child run: `skill/<name>`; null for a root run. */
  readonly via: string | null;
  readonly requestId: string;
  readonly tenant: string;
  readonly issuer: string | null;
  readonly subject: string;
  readonly username: string;
  readonly client: string | null;
  /** The caller's key; null for a token. */
  readonly key: string | null;
  readonly roles: readonly string[];
  /** The publisher of the skill by whose right the run acted, when not the caller's. Null or absent otherwise. */
  readonly onBehalfOf?: string | null;
  /** `model/<name>`, `skill/<name>`, `mcp/<server>/<tool>`. */
  readonly capability: string;
  readonly operation: string;
  readonly streamed: boolean;
  readonly revision: number;
  readonly startedAt: number;
  readonly firstTokenAt: number | null;
  readonly endedAt: number;
  readonly outcome: Outcome;
  readonly error: ErrorCode | null;
  readonly deployment: string | null;
  readonly usage: Usage | null;
  /** Whole micro-units of `currency`; null when the price is unknown. */
  readonly cost: number | null;
  /** Femto-units in addition, fewer than 10^9. Absent in records of older versions. */
  readonly costFemto?: number;
  readonly currency: string | null;
  /** The deployment uses a developer's own provider. No budget counts its cost, because the developer sets the price. */
  readonly unbudgeted?: boolean;
  readonly attempts: readonly AttemptRecord[];
  /** Present where traces are exported. Not stored. */
  readonly trace?: RunTrace;
}

/** Input and output of a run. Retained only when the skill's row enables it. */
export interface RunContent {
  readonly input: Json;
  /** Null for a run without an answer. */
  readonly output: Json;
}

/** A run in progress. */
export interface OpenRun {
  readonly id: string;
  /** The record if the run ended now: an error, with the usage known so far. */
  snapshot(): RunRecord;
}

/** Accepts records off the call's path. No method throws or waits. */
export interface Ledger {
  record(run: RunRecord): void;
  /** A run has begun. Present where another process must know of it, to record it when this process dies. */
  opened?(run: OpenRun): void;
  /** The first output of a run that may take long. The node may stop meanwhile. May be called repeatedly. */
  begun?(run: OpenRun): void;
  /** Input and output of a run, to retain for `days` days. */
  content?(id: string, days: number, content: RunContent): void;
}
