/** One invocation in progress. Its record goes to the ledger exactly once, when it ends. */
import type { Principal } from '../types/access.ts';
import type { Usage } from '../types/chat.ts';
import type { ErrorCode } from '../types/errors.ts';
import type { AttemptRecord, Ledger, Outcome, RunRecord, RunTrace } from '../types/run.ts';
import type { Json } from '../types/json.ts';
import { type Femto, splitAmount } from '../types/money.ts';
import type { Price } from '../types/price.ts';
import { type Operation, operations } from '../types/wire-format.ts';
import { newOrderedId } from './ordered-id.ts';
import { traceparentOf } from './traces/trace-context.ts';
import { countedAttempts, type RunEnd } from './attempt-usage.ts';
import { added, costOfParts, reportedCost, noCost, type PricedPart, type RunCost, without } from './cost.ts';

/** How long a run's input and output are retained, in days, and whether those of its child runs are too. */
export interface Keeping {
  readonly days: number;
  readonly within: boolean;
}

const noParts: readonly never[] = [];

const noPrices: ReadonlyMap<number, null> = new Map();

const isOperation = (word: string): word is Operation => (operations as readonly string[]).includes(word);

export interface RunStart {
  readonly principal: Principal;
  readonly requestId: string;
  readonly capability: string;
  readonly operation: string;
  readonly streamed: boolean;
  readonly revision: number;
  /** What a vendor bills it as, where `operation` is another word; `chat` unless either says so. */
  readonly billedAs?: Operation;
  /** The person by whose right it runs, where that is not the caller. */
  readonly onBehalfOf?: string | null;
  /** Absent where no traces are exported. */
  readonly trace?: RunTrace;
}

export class Run {
  readonly id: string;
  readonly start: RunStart;
  readonly attempts: AttemptRecord[] = [];
  readonly depth: number;
  readonly #ledger: Ledger;
  readonly #parent: Run | null;
  readonly #root: string;
  readonly #via: string | null;
  readonly #startedAt = Date.now();
  readonly #began = performance.now();
  #firstTokenAt: number | null = null;
  #deployment: string | null = null;
  #price: Price | null = null;
  #usage: Usage | null = null;
  /** Parts of the answer from deployments that did not finish it. */
  #earlier: readonly (PricedPart & { readonly deployment: string })[] = noParts;
  /** The prices of accepted attempts without counts, by number. */
  #uncounted: Map<number, Price | null> | null = null;
  #free = false;
  #unbudgeted = false;
  #meter: (() => Usage) | null = null;
  #ended = false;
  /** Child runs in progress. */
  #open: Set<Run> | null = null;
  #ofEnded: RunCost = noCost;
  #onQuiet: (() => void) | null = null;
  #keeping: Keeping | null;
  #input: Json = null;
  #output: Json = null;
  #onEnd: ((record: RunRecord) => void) | null = null;

  constructor(ledger: Ledger, start: RunStart, parent: Run | null = null, id: string = newOrderedId()) {
    this.id = id;
    this.#ledger = ledger;
    this.start = start;
    this.#parent = parent;
    this.#root = parent === null ? this.id : parent.#root;
    this.#via = parent === null ? null : (parent.#via ?? parent.start.capability);
    this.depth = parent === null ? 0 : parent.depth + 1;
    this.#keeping = parent?.keeping?.within === true ? parent.keeping : null;
    if (parent !== null) (parent.#open ??= new Set()).add(this);
  }

  /** Starts a child run, such as a skill's model call, for the same principal and request. */
  child(capability: string, operation: string, onBehalfOf: string | null = null): Run {
    return new Run(this.#ledger, { ...this.start, capability, operation, onBehalfOf }, this);
  }

  /** The header of Trace Context for the requests of this run; undefined where no traces are exported. */
  get traceparent(): string | undefined {
    const { trace } = this.start;
    return trace === undefined ? undefined : traceparentOf(this.id, trace);
  }

  /** True if this run or an ancestor invokes `capability`: the recursion guard. */
  isWithin(capability: string): boolean {
    return this.start.capability === capability || (this.#parent?.isWithin(capability) ?? false);
  }

  /** Calls `listener` once with the record when the run ends. Only one listener is kept. */
  onEnd(listener: (record: RunRecord) => void): void {
    this.#onEnd = listener;
  }

  /** Null when nothing is retained. */
  get keeping(): Keeping | null {
    return this.#keeping;
  }

  /** Retains input and output, unless an ancestor retains more. */
  keep(keeping: Keeping): void {
    if (this.#keeping?.within !== true) this.#keeping = keeping;
  }

  /** Sets the input. Does nothing when nothing is retained. */
  asked(input: Json): void {
    if (this.#keeping !== null) this.#input = input;
  }
  /** Sets the output. Does nothing when nothing is retained. */
  answered(output: Json): void {
    if (this.#keeping !== null) this.#output = output;
  }

  /** The answer has begun to arrive. */
  firstToken(): void {
    if (this.#firstTokenAt !== null) return;
    this.#firstTokenAt = this.#now();
    if (this.start.streamed) this.#ledger.begun?.(this);
  }

  /** The wall clock at the start, plus the time since. */
  #now(): number {
    return this.#startedAt + Math.round(performance.now() - this.#began);
  }

  /** Marks the run as long or with side effects: it and its ancestors are recorded even if the node dies. */
  works(): void {
    if (!this.#ended) this.#ledger.begun?.(this);
    this.#parent?.works();
  }

  /** `meter` estimates the usage while the vendor has reported none. It is called every few seconds. */
  meteredBy(meter: () => Usage): void {
    this.#meter = meter;
  }

  /** Sets the deployment that answers the caller, and its price. */
  answeredBy(deployment: string, price: Price | null, unbudgeted = false): void {
    this.#unbudgeted = unbudgeted;
    this.#deployment = deployment;
    this.#price = price;
  }

  /** Marks the answer as cached: no vendor is called and nothing is spent. */
  answeredFromCache(): void {
    this.#deployment = 'cache';
    this.#usage = { inputTokens: 0, outputTokens: 0 };
    this.#free = true;
  }

  /** Sets the usage. The latest count replaces the earlier one: vendors' counts are cumulative. */
  used(usage: Usage): void {
    this.#usage = usage;
  }

  /** Adds the part of a deployment that did not finish the answer, at its own price. `used` still gets the sum of all parts. */
  usedElsewhere(deployment: string, usage: Usage, price: Price | null): void {
    this.#earlier = [...this.#earlier, { deployment, usage, price }];
  }

  /** Records an attempt that has ended. `price`: that of its deployment. */
  attempted(attempt: AttemptRecord, price: Price | null): void {
    this.attempts.push(attempt);
    // Accepted, so that the vendor may bill it, although it sent no counts.
    if (attempt.usage == null && attempt.status !== null && attempt.status < 300)
      (this.#uncounted ??= new Map()).set(attempt.number, price);
  }

  /** The attempts, with the usage of those whose vendor sent no counts. */
  #attemptsOf(usage: Usage | null, end: RunEnd): readonly AttemptRecord[] {
    const deployment = this.#deployment;
    const isOpen = end.error === 'node_lost';
    if (usage === null || deployment === null || (this.#uncounted === null && !isOpen)) return this.attempts;
    const rest = this.#earlier.reduce((left, part) => without(left, part.usage), usage);
    const parts = [...this.#earlier, { deployment, usage: rest, price: this.#price }];
    return countedAttempts(this.attempts, this.#uncounted ?? noPrices, parts, { operation: this.billedAs, at: this.#startedAt }, end);
  }

  /** What a vendor bills it as. */
  get billedAs(): Operation {
    const { operation, billedAs } = this.start;
    return billedAs ?? (isOperation(operation) ? operation : 'chat');
  }

  #currencyOf(used: Usage | null): string | null {
    return this.#price?.currency ?? (used === null || reportedCost(used) === null ? null : (used.reportedCost?.currency ?? null));
  }

  /** Null where a price is unknown, or prices are in different currencies. */
  #costOf(used: Usage | null): Femto | null {
    if (this.#free) return 0n;
    if (used === null) return null;
    if (this.#price === null) return reportedCost(used);
    return costOfParts(used, this.#price, this.#earlier, { operation: this.billedAs, at: this.#startedAt });
  }

  /** The usage of this run alone, without child runs. */
  get usage(): Usage | null {
    return this.#usage;
  }

  /** The cost of this run and all child runs, failed ones included. */
  get spent(): RunCost {
    if (this.#open === null) return this.#settled;
    return [...this.#open].reduce((sum, run) => added(sum, run.spent), this.#settled);
  }

  get #settled(): RunCost {
    const own: RunCost =
      this.#usage === null ? noCost : { usage: this.#usage, cost: this.#costOf(this.#usage), currency: this.#currencyOf(this.#usage) };
    return added(own, this.#ofEnded);
  }

  get #isQuiet(): boolean {
    return this.#open === null || this.#open.size === 0;
  }

  #endOf(inner: Run): void {
    this.#add(inner.#settled);
    this.#open?.delete(inner);
    if (this.#isQuiet) this.#onQuiet?.();
  }

  /** A cost that arrives after this run has ended is also added to its ancestors, which have counted this run already. */
  #add(spent: RunCost): void {
    this.#ofEnded = added(this.#ofEnded, spent);
    if (this.#ended && this.#parent !== null) this.#parent.#add(spent);
  }

  /** Resolves when no child run is in progress, so that their cost is final. One waiter at a time. */
  quiet(): Promise<void> {
    if (this.#isQuiet) return Promise.resolve();
    return new Promise((resolve) => (this.#onQuiet = resolve));
  }

  /** Records the run. Later calls do nothing, so every path may call it in `finally`. */
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

  /** The record to write if the process died now (`OpenRun`). */
  snapshot(): RunRecord {
    return this.#recordOf('error', 'node_lost', this.#usage ?? this.#meter?.() ?? null);
  }

  #recordOf(outcome: Outcome, error: ErrorCode | null, usage: Usage | null): RunRecord {
    const { start } = this;
    const { principal } = start;
    const endedAt = this.#now();
    const cost = this.#costOf(usage);
    const split = cost === null ? null : splitAmount(cost);
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
      onBehalfOf: start.onBehalfOf ?? null,
      capability: start.capability,
      operation: start.operation,
      streamed: start.streamed,
      revision: start.revision,
      startedAt: this.#startedAt,
      firstTokenAt: this.#firstTokenAt,
      endedAt,
      outcome,
      error,
      deployment: this.#deployment,
      usage,
      cost: split?.micro ?? null,
      costFemto: split?.femto ?? 0,
      ...(this.#unbudgeted ? { unbudgeted: true } : {}),
      currency: this.#currencyOf(usage),
      attempts: this.#attemptsOf(usage, { startedAt: this.#startedAt, endedAt, error }),
      ...(start.trace === undefined ? {} : { trace: start.trace }),
    };
  }
}
