/** Runs and attempts: the trace, the bill and the audit of every invocation. */
import type { Usage } from './chat.ts';
import type { ErrorCode } from './errors.ts';
import type { Json } from './json.ts';

export type Outcome = 'complete' | 'error' | 'aborted';

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
  /** The vendor's HTTP status; null when none came. */
  readonly status: number | null;
  readonly error: ErrorCode | null;
  /** What the vendor said, shortened; for operators only. */
  readonly detail: string | null;
  /** What the vendor says that this attempt used; missing where it said nothing, and in records of older versions. */
  readonly usage?: Usage | null;
  /** What that costs, as of a run. */
  readonly cost?: number | null;
  readonly costFemto?: number;
  readonly currency?: string | null;
}

/** One invocation. Written once, when it has ended. */
export interface RunRecord {
  readonly id: string;
  readonly parent: string | null;
  readonly root: string;
  /** What the outermost run invokes, for a run within one: `skill/<name>`; null for an outermost run. */
  readonly via: string | null;
  readonly requestId: string;
  readonly tenant: string;
  readonly issuer: string | null;
  readonly subject: string;
  readonly username: string;
  readonly client: string | null;
  /** The key by which the caller came; null for a token. */
  readonly key: string | null;
  readonly roles: readonly string[];
  /** Who published the skill by whose right it ran, where that was not the caller's; null or left out otherwise. */
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
  /** Femto-units beyond these, fewer than 10^9. Missing in records of older versions. */
  readonly costFemto?: number;
  readonly currency: string | null;
  /** The deployment is one at a provider of a developer's own: no budget counts the cost, because the developer says what it is. */
  readonly unbudgeted?: boolean;
  readonly attempts: readonly AttemptRecord[];
}

/** What a run was asked and what it answered; kept only where the row of its skill says so. */
export interface RunContent {
  readonly input: Json;
  /** Null for a run that answered nothing. */
  readonly output: Json;
}

/** A run that has not ended yet. */
export interface OpenRun {
  readonly id: string;
  /** Its record if nothing more were ever heard of it: an error, with what is known to have been used. */
  snapshot(): RunRecord;
}

/** Takes records off the call's path. None of it ever throws or waits. */
export interface Ledger {
  record(run: RunRecord): void;
  /** A stream has begun to speak, or a tool or a skill to work: it may go on for long, and its node may die meanwhile. May be told again. */
  begun?(run: OpenRun): void;
  /** What a run was asked and answered, to be kept for so many days. */
  content?(id: string, days: number, content: RunContent): void;
}
