/** Formats the table of results, and the reasons of failures. */
import type { Revision, Scenario } from './suite.ts';

export interface Part {
  readonly revision: Revision;
  /** Name of the examined server. */
  readonly against: string;
  /** Number of scored scenarios that may fail. */
  readonly mayFail: number;
  readonly scenarios: readonly Scenario[];
}

const failed = (scenarios: readonly Scenario[]): readonly Scenario[] => scenarios.filter(({ faults }) => faults.length > 0);

/** "29/30" */
function count(scenarios: readonly Scenario[]): string {
  return `${scenarios.length - failed(scenarios).length}/${scenarios.length}`;
}

export function table(parts: readonly Part[]): string {
  const head = ['revision', 'against', 'passed', 'needed', '', 'not scored', 'failed'];
  const cells = parts.map(({ revision, against, mayFail, scenarios }) => {
    const scored = scenarios.filter((scenario) => scenario.scored);
    const others = scenarios.filter((scenario) => !scenario.scored);
    const bad = failed(scored);
    return [
      revision,
      against,
      count(scored),
      String(scored.length - mayFail),
      bad.length <= mayFail ? 'ok' : 'BELOW',
      others.length === 0 ? '' : count(others),
      bad.map(({ name }) => name).join(', '),
    ];
  });
  const widths = head.map((name, column) => Math.max(name.length, ...cells.map((line) => (column < 6 ? (line[column]?.length ?? 0) : 0))));
  const line = (row: readonly string[]): string => `| ${row.map((part, column) => part.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...cells.map(line)].join('\n');
}

export function reasons(parts: readonly Part[]): string {
  return parts
    .flatMap(({ revision, against, scenarios }) =>
      failed(scenarios).flatMap(({ name, scored, faults }) => [
        `${revision}, ${against}, ${name}${scored ? '' : ' (not scored)'}`,
        ...faults.map((fault) => `  ${fault.slice(0, 500)}`),
      ]),
    )
    .join('\n');
}
