/** Prometheus metrics of this node. Labels are bounded by configuration: no subject, no request id, no free text. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Ledger, RunRecord } from '../types/run.ts';
import { createLabelledCounter } from './counter.ts';
import { createPromptAnswer } from './prompt-answer.ts';

export interface WatchedGauge {
  /** A counter only grows, and starts at 0 with the process. Default: a gauge. */
  readonly type?: 'gauge' | 'counter';
  readonly name: string;
  readonly help: string;
  readonly label: string;
  /** The value for each value of the label. */
  readonly read: () => ReadonlyMap<string, number> | Promise<ReadonlyMap<string, number>>;
}

export interface Metrics {
  /** The text that Prometheus scrapes, and its content type. */
  render(): Promise<{ contentType: string; text: string }>;
  /** A ledger that counts each record and hands it on. */
  counting(ledger: Ledger): Ledger;
  setRevision(revision: number): void;
  circuitTurned(deployment: string, state: 'closed' | 'half-open' | 'open'): void;
  probed(deployment: string, result: 'well' | 'ill' | 'unclear'): void;
  limitRefused(limit: string, measure: string): void;
  /** A request was refused before a run. `code`: of the table of errors. */
  refused(code: string): void;
  /** An attempt to deliver an alert of a budget. */
  budgetAlerted(limit: string, result: 'delivered' | 'failed' | 'given_up'): void;
  /** A cache lookup of a call. */
  answerSought(capability: string, result: 'hit' | 'miss'): void;
  /** A gauge that is read at each scrape, such as the size of tables. It is left out of a scrape in which `read` rejects or is late. */
  watch(gauge: WatchedGauge): void;
  callStarted(): void;
  callEnded(): void;
}

/** Runs are counted in batches of this size: a batch costs a fraction of single updates between the steps of calls. */
const countTogether = 100;

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'pailou_' });
  const registers = [registry];
  const runs = createLabelledCounter({
    registry,
    name: 'pailou_runs_total',
    help: 'Runs ended, by capability, operation and outcome.',
    labelNames: ['capability', 'operation', 'outcome', 'error'],
  });
  const attempts = createLabelledCounter({
    registry,
    name: 'pailou_attempts_total',
    help: 'Attempts at a deployment.',
    labelNames: ['deployment', 'outcome', 'error'],
  });
  const tokens = createLabelledCounter({
    registry,
    name: 'pailou_tokens_total',
    help: 'Tokens booked.',
    labelNames: ['capability', 'direction', 'source'],
  });
  const costs = createLabelledCounter({
    registry,
    name: 'pailou_cost_total',
    help: 'Money spent, in units of the currency. Runs without a known price count nothing.',
    labelNames: ['capability', 'currency'],
  });
  const probes = createLabelledCounter({
    registry,
    name: 'pailou_probes_total',
    help: 'Probes of deployments: well, ill, or unclear (inconclusive, such as a rate limit).',
    labelNames: ['deployment', 'result'],
  });
  const refusals = createLabelledCounter({
    registry,
    name: 'pailou_limit_refusals_total',
    help: 'Calls refused by a limit or budget of the configuration.',
    labelNames: ['limit', 'measure'],
  });
  const refusedRequests = createLabelledCounter({
    registry,
    name: 'pailou_refusals_total',
    help: 'Requests refused before a run, by error code: no or a wrong token, no permission, an invalid request.',
    labelNames: ['code'],
  });
  const alerts = createLabelledCounter({
    registry,
    name: 'pailou_budget_alerts_total',
    help: 'Attempts to deliver an alert of a budget: delivered, failed or given_up.',
    labelNames: ['limit', 'result'],
  });
  const kept = createLabelledCounter({
    registry,
    name: 'pailou_cache_answers_total',
    help: 'Calls to models with a cache, by the result of the look-up.',
    labelNames: ['capability', 'result'],
  });
  const seconds = new Histogram({
    name: 'pailou_run_duration_seconds',
    help: 'From the start of a run to its end.',
    labelNames: ['operation'],
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
    registers,
  });
  const firstToken = new Histogram({
    name: 'pailou_time_to_first_token_seconds',
    help: 'From the start of a run to its first visible token.',
    labelNames: ['operation'],
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  });
  const revision = new Gauge({ name: 'pailou_config_revision', help: 'Configuration revision that this node serves.', registers });
  const circuits = new Gauge({
    name: 'pailou_circuit_state',
    help: 'Circuit of a deployment: 0 closed, 1 half-open (one at a time tries), 2 open. Absent: never opened.',
    labelNames: ['deployment'],
    registers,
  });
  const inFlight = new Gauge({ name: 'pailou_calls_in_flight', help: 'Active calls on this node.', registers });

  /** The series of each operation, looked up once. */
  const durations = new Map<string, { readonly total: Histogram.Internal<'operation'>; readonly first: Histogram.Internal<'operation'> }>();
  function durationsOf(operation: string) {
    let known = durations.get(operation);
    if (known === undefined) {
      known = { total: seconds.labels(operation), first: firstToken.labels(operation) };
      durations.set(operation, known);
    }
    return known;
  }

  function count(run: RunRecord): void {
    runs(1, run.capability, run.operation, run.outcome, run.error ?? '');
    const { total, first } = durationsOf(run.operation);
    total.observe((run.endedAt - run.startedAt) / 1000);
    if (run.firstTokenAt !== null) first.observe((run.firstTokenAt - run.startedAt) / 1000);
    for (const attempt of run.attempts) attempts(1, attempt.deployment, attempt.outcome, attempt.error ?? '');
    if (run.usage !== null) {
      const source = run.usage.estimated === true ? 'estimate' : 'vendor';
      tokens(run.usage.inputTokens, run.capability, 'input', source);
      tokens(run.usage.outputTokens, run.capability, 'output', source);
    }
    if (run.cost !== null && run.currency !== null) costs(run.cost / 1e6 + (run.costFemto ?? 0) / 1e15, run.capability, run.currency);
  }

  let uncounted: RunRecord[] = [];
  function countAll(): void {
    const runsNow = uncounted;
    uncounted = [];
    for (const run of runsNow) count(run);
  }

  return {
    async render() {
      countAll();
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
    counting: (ledger) => ({
      record(run) {
        ledger.record(run);
        uncounted.push(run);
        if (uncounted.length >= countTogether) countAll();
      },
    }),
    setRevision: (value) => revision.set(value),
    circuitTurned: (deployment, state) => circuits.set({ deployment }, ['closed', 'half-open', 'open'].indexOf(state)),
    probed: (deployment, result) => probes(1, deployment, result),
    limitRefused: (limit, measure) => refusals(1, limit, measure),
    refused: (code) => refusedRequests(1, code),
    budgetAlerted: (limit, result) => alerts(1, limit, result),
    answerSought: (capability, result) => kept(1, capability, result),
    watch({ name, help, label, read, type = 'gauge' }) {
      // A database that hangs must not take all other numbers with it.
      const promptly = createPromptAnswer(async () => read());
      const options = {
        name,
        help,
        labelNames: [label],
        registers,
        async collect() {
          metric.reset();
          try {
            for (const [value, number] of (await promptly()) ?? []) metric.inc({ [label]: value }, number);
          } catch {
            // The source is away, which has a log line of its own.
          }
        },
      };
      const metric: Gauge | Counter = type === 'counter' ? new Counter(options) : new Gauge(options);
    },
    callStarted: () => inFlight.inc(),
    callEnded: () => inFlight.dec(),
  };
}
