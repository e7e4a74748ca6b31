/** Formats the table of results. */
import { type Candidate, type Measured, median } from './measure.ts';
import type { Scenario } from './scenarios.ts';

export interface Row {
  readonly work: string;
  readonly bare: string;
  readonly pailou: string;
  /** Null where a ratio does not apply. */
  readonly ratio: number | null;
  readonly budget: string;
  readonly within: boolean | null;
  readonly note: string;
}

const micro = (value: number): string => `${value < 100 ? value.toFixed(1) : value.toFixed(0)} µs`;

/** The row of a scenario: CPU per unit, and the median ratio of windows that ran one after the other. */
export function scenarioRow(scenario: Scenario, measured: Measured, bare: Candidate, pailou: Candidate): Row {
  const bareWindows = measured.windows.get(bare.name) ?? [];
  const ownWindows = measured.windows.get(pailou.name) ?? [];
  const ratios = ownWindows.map((own, index) => own.cpuPerUnit / (bareWindows[index]?.cpuPerUnit ?? Number.NaN));
  const ratio = median(ratios);
  const notes = [
    `${median(ownWindows.map((own) => own.callsPerSecond)).toFixed(0)} calls/s (bare ${median(bareWindows.map((own) => own.callsPerSecond)).toFixed(0)})`,
  ];
  const direct = measured.latency.get('direct');
  const own = measured.latency.get(pailou.name);
  const other = measured.latency.get(bare.name);
  if (direct !== undefined && own !== undefined && other !== undefined) {
    const added = (quantile: 'p50' | 'p99'): string =>
      `${quantile} +${(own[quantile] - direct[quantile]).toFixed(2)} ms (bare +${(other[quantile] - direct[quantile]).toFixed(2)})`;
    notes.push(added('p50'), added('p99'));
  }
  notes.push(`ratios ${Math.min(...ratios).toFixed(2)}-${Math.max(...ratios).toFixed(2)}`);
  return {
    work: `${scenario.name}, CPU per ${scenario.unit}`,
    bare: micro(median(bareWindows.map((window) => window.cpuPerUnit))),
    pailou: micro(median(ownWindows.map((window) => window.cpuPerUnit))),
    ratio,
    budget: `<= ${scenario.budget}`,
    within: ratio <= scenario.budget,
    note: notes.join('; '),
  };
}

export function table(rows: readonly Row[]): string {
  const head = ['work', 'bare proxy', 'Pailou', 'ratio', 'budget', '', 'more'];
  const cells = rows.map((row) => [
    row.work,
    row.bare,
    row.pailou,
    row.ratio === null ? '' : row.ratio.toFixed(2),
    row.budget,
    row.within === null ? '' : row.within ? 'ok' : 'OVER',
    row.note,
  ]);
  const widths = head.map((name, column) => Math.max(name.length, ...cells.map((line) => line[column]?.length ?? 0)));
  const line = (parts: readonly string[]): string => `| ${parts.map((part, column) => part.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...cells.map(line)].join('\n');
}
