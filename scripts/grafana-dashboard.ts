/** Writes `deploy/grafana/pailou.json` from a table of panels: `npm run docs`. The compiler checks it against Grafana's own schema, a test compares them, and Prometheus answers each query. */
import { writeFileSync } from 'node:fs';
import type { Dashboard, GraphFieldConfig, OptionsWithLegend, OptionsWithTooltip, Panel, RowPanel, VariableModel } from '@grafana/schema';

/** A type of Grafana's schema as JSON has it: the values of its enums instead of their names. */
type Plain<T> = T extends string
  ? `${T}`
  : T extends number
    ? number extends T
      ? number
      : T | (`${T}` extends `${infer N extends number}` ? N : never)
    : T extends object
      ? { [K in keyof T]: Plain<T[K]> }
      : T;

interface PanelSpec {
  readonly title: string;
  readonly about: string;
  readonly unit: string;
  /** Queries with the legend of their series. */
  readonly queries: readonly (readonly [expression: string, legend: string])[];
  readonly stacked?: boolean;
}

const source = { type: 'prometheus', uid: '${datasource}' };
const from = '{job=~"$job",instance=~"$instance"}';
const fromAnd = (more: string): string => `{job=~"$job",instance=~"$instance",${more}}`;
const rate = (metric: string, labels = from): string => `rate(${metric}${labels}[$__rate_interval])`;
const quantile = (share: number, metric: string): string =>
  `histogram_quantile(${share}, sum by (le, operation) (${rate(`${metric}_bucket`)}))`;

const sections: readonly (readonly [title: string, panels: readonly PanelSpec[]])[] = [
  [
    'Calls',
    [
      {
        title: 'Calls by outcome',
        about: 'Calls that ended. A caller that left is aborted, not failed.',
        unit: 'reqps',
        queries: [[`sum by (outcome) (${rate('pailou_runs_total')})`, '{{outcome}}']],
        stacked: true,
      },
      {
        title: 'Errors by code',
        about: 'docs/errors.md explains each code.',
        unit: 'reqps',
        queries: [[`sum by (error) (${rate('pailou_runs_total', fromAnd('outcome="error"'))})`, '{{error}}']],
      },
      {
        title: 'Calls in progress',
        about: 'On each node.',
        unit: 'short',
        queries: [[`pailou_calls_in_flight${from}`, '{{instance}}']],
        stacked: true,
      },
      {
        title: 'Requests refused before a run',
        about: 'By error code: wrong tokens, missing permissions, invalid requests.',
        unit: 'reqps',
        queries: [[`sum by (code) (${rate('pailou_refusals_total')})`, '{{code}}']],
        stacked: true,
      },
      {
        title: 'Calls by capability',
        about: 'The ten with the most calls.',
        unit: 'reqps',
        queries: [[`topk(10, sum by (capability) (${rate('pailou_runs_total')}))`, '{{capability}}']],
      },
    ],
  ],
  [
    'Latency',
    [
      {
        title: 'Time to first token',
        about: 'From the start of a run to its first visible token.',
        unit: 's',
        queries: [
          [quantile(0.5, 'pailou_time_to_first_token_seconds'), 'p50 {{operation}}'],
          [quantile(0.95, 'pailou_time_to_first_token_seconds'), 'p95 {{operation}}'],
        ],
      },
      {
        title: 'Duration',
        about: 'From the start of a run to its end.',
        unit: 's',
        queries: [
          [quantile(0.5, 'pailou_run_duration_seconds'), 'p50 {{operation}}'],
          [quantile(0.95, 'pailou_run_duration_seconds'), 'p95 {{operation}}'],
        ],
      },
    ],
  ],
  [
    'Tokens and money',
    [
      {
        title: 'Tokens',
        about: 'As the vendors count them; estimates are marked.',
        unit: 'short',
        queries: [[`sum by (direction, source) (${rate('pailou_tokens_total')})`, '{{direction}} ({{source}})']],
        stacked: true,
      },
      {
        title: 'Cost per hour',
        about: 'At the prices of the deployments. Runs without a known price count nothing.',
        unit: 'short',
        queries: [[`sum by (currency) (${rate('pailou_cost_total')}) * 3600`, '{{currency}}']],
      },
      {
        title: 'Cost per hour by capability',
        about: 'The ten most expensive.',
        unit: 'short',
        queries: [[`topk(10, sum by (capability, currency) (${rate('pailou_cost_total')})) * 3600`, '{{capability}} ({{currency}})']],
      },
      {
        title: 'Cached answers',
        about: 'Look-ups in the cache of answers.',
        unit: 'reqps',
        queries: [[`sum by (result) (${rate('pailou_cache_answers_total')})`, '{{result}}']],
      },
    ],
  ],
  [
    'Deployments and limits',
    [
      {
        title: 'Failed attempts',
        about: 'Callers may not notice them: another deployment answers.',
        unit: 'reqps',
        queries: [
          [`sum by (deployment, error) (${rate('pailou_attempts_total', fromAnd('outcome="error"'))})`, '{{deployment}} {{error}}'],
        ],
      },
      {
        title: 'Circuits',
        about: '0 closed, 1 half-open, 2 open.',
        unit: 'short',
        queries: [[`max by (deployment) (pailou_circuit_state${from})`, '{{deployment}}']],
      },
      {
        title: 'Probes',
        about: 'Checks whether a deployment works again.',
        unit: 'reqps',
        queries: [[`sum by (deployment, result) (${rate('pailou_probes_total')})`, '{{deployment}} {{result}}']],
      },
      {
        title: 'Calls that a limit refused',
        about: 'By limit and by what it measures.',
        unit: 'reqps',
        queries: [
          [`sum by (limit, measure) (${rate('pailou_limit_refusals_total')})`, '{{limit}} ({{measure}})'],
          [`sum by (limit, result) (${rate('pailou_budget_alerts_total')})`, 'alert of {{limit}}: {{result}}'],
        ],
      },
    ],
  ],
  [
    'Nodes',
    [
      {
        title: 'Processor',
        about: 'Cores in use; a node works on little more than one.',
        unit: 'short',
        queries: [[rate('pailou_process_cpu_seconds_total'), '{{instance}}']],
      },
      { title: 'Memory', about: 'Resident.', unit: 'bytes', queries: [[`pailou_process_resident_memory_bytes${from}`, '{{instance}}']] },
      {
        title: 'Event loop',
        about: 'The longest holds (p99).',
        unit: 's',
        queries: [[`pailou_nodejs_eventloop_lag_p99_seconds${from}`, '{{instance}}']],
      },
      {
        title: 'Records on their way to the database',
        about: 'In memory, and files on disk while the database is away. Lost ones: in memory too long, with a full disk.',
        unit: 'short',
        queries: [
          [`sum by (records) (pailou_records_pending${from})`, '{{records}} in memory'],
          [`sum by (records) (pailou_records_spool_files${from})`, '{{records}}: files on disk'],
          [`sum by (records) (increase(pailou_records_dropped_total${from}[$__rate_interval]))`, '{{records}} lost'],
          [`sum by (records) (increase(pailou_records_refused_total${from}[$__rate_interval]))`, '{{records}} refused by the database'],
        ],
      },
      {
        title: 'Free disk',
        about: 'Of the data folder. A node with a full disk is not ready.',
        unit: 'bytes',
        queries: [[`pailou_disk_free_bytes${from}`, '{{instance}}']],
      },
      {
        title: 'File descriptors and revision',
        about: 'Each open stream needs two descriptors. All nodes serve one revision of the configuration.',
        unit: 'short',
        queries: [
          [`pailou_process_open_fds${from}`, '{{instance}} descriptors'],
          [`pailou_config_revision${from}`, '{{instance}} revision'],
        ],
      },
    ],
  ],
];

const [width, height] = [12, 8];

/** The schema leaves the options of a panel open; those of a time series are these. */
type TimeSeriesPanel = Plain<Panel<object, GraphFieldConfig> & { options: OptionsWithLegend & OptionsWithTooltip }>;

function panelOf({ title, about, unit, queries, stacked = false }: PanelSpec, id: number, x: number, y: number): TimeSeriesPanel {
  return {
    id,
    type: 'timeseries',
    title,
    description: about,
    datasource: source,
    gridPos: { h: height, w: width, x, y },
    fieldConfig: {
      defaults: {
        unit,
        min: 0,
        custom: {
          drawStyle: 'line',
          fillOpacity: stacked ? 20 : 0,
          lineWidth: 1,
          showPoints: 'never',
          stacking: { mode: stacked ? 'normal' : 'none', group: 'A' },
        },
      },
      overrides: [],
    },
    options: {
      legend: { calcs: [], displayMode: 'list', placement: 'bottom', showLegend: true },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
    targets: queries.map(([expr, legendFormat], index) => ({
      refId: String.fromCodePoint(65 + index),
      datasource: source,
      expr,
      legendFormat,
    })),
  };
}

function panels(): Plain<Panel | RowPanel>[] {
  const placed: Plain<Panel | RowPanel>[] = [];
  let y = 0;
  for (const [title, specs] of sections) {
    placed.push({ id: placed.length + 1, type: 'row', title, collapsed: false, gridPos: { h: 1, w: 24, x: 0, y }, panels: [] });
    y += 1;
    for (const [index, spec] of specs.entries())
      placed.push(panelOf(spec, placed.length + 1, (index % 2) * width, y + Math.floor(index / 2) * height));
    y += Math.ceil(specs.length / 2) * height;
  }
  return placed;
}

const variable = (name: string, label: string, query: string): Plain<VariableModel> => ({
  name,
  label,
  type: 'query',
  datasource: source,
  query: { query, refId: name },
  refresh: 2,
  multi: true,
  includeAll: true,
  allValue: '.*',
  current: { selected: true, text: ['All'], value: ['$__all'] },
  sort: 1,
});

export function grafanaDashboard(): string {
  const dashboard: Plain<Dashboard> = {
    uid: 'pailou',
    title: 'Pailou',
    description: 'Calls, latency, tokens, money, deployments and nodes of Pailou.',
    tags: ['pailou'],
    schemaVersion: 39,
    version: 1,
    editable: true,
    timezone: 'browser',
    refresh: '30s',
    time: { from: 'now-3h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus' },
        variable('job', 'Job', 'label_values(pailou_config_revision, job)'),
        variable('instance', 'Node', 'label_values(pailou_config_revision{job=~"$job"}, instance)'),
      ],
    },
    annotations: { list: [] },
    links: [],
    panels: panels(),
  };
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

if (import.meta.main) writeFileSync(new URL('../deploy/grafana/pailou.json', import.meta.url), grafanaDashboard());
