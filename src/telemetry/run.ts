/** One invocation under way. Its record goes to the ledger exactly once, when it ends. */
import type { Principal } from '../types/access.ts';
import type { Usage } from '../types/chat.ts';
import type { ErrorCode } from '../types/errors.ts';
import type { AttemptRecord, Ledger, Outcome, RunRecord } from '../types/run.ts';
import type { Price } from '../types/resources.ts';
import type { Json } from '../types/json.ts';
import { newRunId } from './run-id.ts';
import { added, costOfParts, noCost, type PricedPart, type RunCost } from './cost.ts';

/** Whether what a run was asked and answered is kept: for so many days, and also of the runs within it. */
export interface Keeping {
  readonly days: number;
  readonly within: boolean;
}

export interface RunStart {
  readonly principal: Principal;
  readonly requestId: string;
  readonly capability: string;
  readonly operation: string;
  readonly streamed: boolean;
  readonly revision: number;
}

export class Run {
  readonly id: string = newRunId();
  readonly start: RunStart;
  readonly attempts: AttemptRecord[] = [];
  readonly depth: number;
  readonly #ledger: Ledger;
  readonly #parent: Run | null;
  readonly #root: string;
  readonly #via: string | null;
  readonly #startedAt = Date.now();
  #firstTokenAt: number | null = null;
  #deployment: string | null = null;
  #price: Price | null = null;
  #usage: Usage | null = null;
  /** Parts of the answer that came from deployments which did not end it. */
  readonly #earlier: PricedPart[] = [];
  #free = false;
  #meter: (() => Usage) | null = null;
  #ended = false;
  /** Runs within this one: those under way, and what those have spent that ended. */
  readonly #open = new Set<Run>();
  #ofEnded: RunCost = noCost;
  #onQuiet: (() => void) | null = null;
  #keeping: Keeping | null;
  #input: Json = null;
  #output: Json = null;
  #onEnd: ((record: RunRecord) => void) | null = null;

  constructor(ledger: Ledger, start: RunStart, parent: Run | null = null) {
    this.#ledger = ledger;
    this.start = start;
    this.#parent = parent;
    this.#root = parent === null ? this.id : parent.#root;
    this.#via = parent === null ? null : (parent.#via ?? parent.start.capability);
    this.depth = parent === null ? 0 : parent.depth + 1;
    this.#keeping = parent?.keeping?.within === true ? parent.keeping : null;
    if (parent !== null) parent.#open.add(this);
  }

  /** A run inside this one: a skill's model call, a tool call. Same principal, same request. */
  child(capability: string, operation: string): Run {
    return new Run(this.#ledger, { ...this.start, capability, operation }, this);
  }

  /** True if this run or one above it invokes `capability`: the recursion guard. */
  isWithin(capability: string): boolean {
    return this.start.capability === capability || (this.#parent?.isWithin(capability) ?? false);
  }

  /** Hears the record once, when the run ends. One listener only. */
  onEnd(listener: (record: RunRecord) => void): void {
    this.#onEnd = listener;
  }

  /** Null where nothing of it is kept. */
  get keeping(): Keeping | null {
    return this.#keeping;
  }

  /** Has what it is asked and answers kept, unless the run is within one that keeps more. */
  keep(keeping: Keeping): void {
    if (this.#keeping?.within !== true) this.#keeping = keeping;
  }

  /** What it is asked. Does nothing where that is not kept, so that nobody has to look. */
  asked(input: Json): void {
    if (this.#keeping !== null) this.#input = input;
  }
  /** What it answers; the same holds. */
  answered(output: Json): void {
    if (this.#keeping !== null) this.#output = output;
  }

  /** The answer has begun to arrive. */
  firstToken(): void {
    if (this.#firstTokenAt !== null) return;
    this.#firstTokenAt = Date.now();
    if (this.start.streamed) this.#ledger.begun?.(this);
  }

  /** It acts on the world, or goes on for long: it and those around it are told of also if the node dies meanwhile. */
  works(): void {
    if (!this.#ended) this.#ledger.begun?.(this);
    this.#parent?.works();
  }

  /** `meter` tells about how much was used so far, as long as no count is known. Cheap enough to be asked every few seconds. */
  meteredBy(meter: () => Usage): void {
    this.#meter = meter;
  }

  /** The deployment whose answer the caller gets, and its price. */
  answeredBy(deployment: string, price: Price | null): void {
    this.#deployment = deployment;
    this.#price = price;
  }

  /** An answer that was kept from another call: nobody is asked, and nothing is spent. */
  answeredFromCache(): void {
    this.#deployment = 'cache';
    this.#usage = { inputTokens: 0, outputTokens: 0 };
    this.#free = true;
  }

  /** The latest known usage replaces what was known before; vendors' counts are cumulative. */
  used(usage: Usage): void {
    this.#usage = usage;
  }

  /** A deployment said a part of the answer and did not end it: its tokens have its own price. `used` still tells the sum of all parts. */
  usedElsewhere(usage: Usage, price: Price | null): void {
    this.#earlier.push({ usage, price });
  }

  /** Null where a price is unknown, or prices are in different currencies. */
  #costOf(used: Usage | null): number | null {
    if (this.#free) return 0;
    return used === null || this.#price === null ? null : costOfParts(used, this.#price, this.#earlier);
  }

  /** Of its own answer alone, as far as it was counted. */
  get usage(): Usage | null {
    return this.#usage;
  }

  /** With all runs within it, also those that failed. */
  get spent(): RunCost {
    return [...this.#open].reduce((sum, run) => added(sum, run.spent), this.#settled);
  }

  get #settled(): RunCost {
    const own: RunCost =
      this.#usage === null ? noCost : { usage: this.#usage, cost: this.#costOf(this.#usage), currency: this.#price?.currency ?? null };
    return added(own, this.#ofEnded);
  }

  #endOf(inner: Run): void {
    this.#add(inner.#settled);
    this.#open.delete(inner);
    if (this.#open.size === 0) this.#onQuiet?.();
  }

  /** What comes after this run has ended is told to those above as well: they have counted this one already. */
  #add(spent: RunCost): void {
    this.#ofEnded = added(this.#ofEnded, spent);
    if (this.#ended && this.#parent !== null) this.#parent.#add(spent);
  }

  /** Resolves when no run within it is under way, so that all they spent is known. For one who asks at a time. */
  quiet(): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => (this.#onQuiet = resolve));
  }

  /** Books the run. Later calls do nothing, so that every path may end it in `finally`. */
  end(outcome: Outcome, error: ErrorCode | null = null): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#meter = null;
    if (this.#parent !== null) this.#parent.#endOf(this);
    const record = this.#recordOf(outcome, error, this.#usage);
    this.#ledger.record(record);
    if (this.#keeping !== null) this.#ledger.content?.(this.id, this.#keeping.days, { input: this.#input, output: this.#output });
    this.#onEnd?.(record);
  }

  /** Its record if nothing more were ever heard of it (`OpenRun`). */
  snapshot(): RunRecord {
    return this.#recordOf('error', 'internal_error', this.#usage ?? this.#meter?.() ?? null);
  }

  #recordOf(outcome: Outcome, error: ErrorCode | null, usage: Usage | null): RunRecord {
    const { start } = this;
    const { principal } = start;
    return {
      id: this.id,
      parent: this.#parent?.id ?? null,
      root: this.#root,
      via: this.#via,
      requestId: start.requestId,
      tenant: principal.tenant,
      issuer: principal.issuer,
      subject: principal.subject,
      username: principal.username,
      client: principal.client,
      key: principal.key ?? null,
      roles: principal.roles,
      capability: start.capability,
      operation: start.operation,
      streamed: start.streamed,
      revision: start.revision,
      startedAt: this.#startedAt,
      firstTokenAt: this.#firstTokenAt,
      endedAt: Date.now(),
      outcome,
      error,
      deployment: this.#deployment,
      usage,
      cost: this.#costOf(usage),
      currency: this.#price?.currency ?? null,
      attempts: this.attempts,
    };
  }
}
