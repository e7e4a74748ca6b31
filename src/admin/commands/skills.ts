/** pailou skills test <name> */
import { parseArgs } from 'node:util';
import { type Command, complain, say, UsageError } from './command.ts';

interface Row {
  readonly case: string;
  readonly model: string;
  readonly passed: boolean;
  readonly fault: string | null;
  readonly tokens: number;
  readonly cost: number | null;
  readonly currency: string | null;
  readonly ms: number;
}

/** Columns as wide as what stands in them. */
function tableOf(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export const skillsCommand: Command = {
  summary: 'Try the cases of a skill against models; exit code 1 if one fails (docs/skills.md).',
  usage: 'pailou skills test <name> [--model <model>]... [--url http://127.0.0.1:8000] --token <token>',
  async run([verb, ...args]) {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        model: { type: 'string', multiple: true },
        url: { type: 'string', default: 'http://127.0.0.1:8000' },
        token: { type: 'string', default: '' },
      },
    });
    const [name] = positionals;
    if (verb !== 'test' || name === undefined || positionals.length > 1) throw new UsageError('Say: pailou skills test <name>');
    if (values.token === '') throw new UsageError('Give a token: --token "$(pailou token)"');
    const response = await fetch(`${values.url.replace(/\/+$/, '')}/api/skills/${encodeURIComponent(name)}/evaluate`, {
      method: 'POST',
      headers: { authorization: `Bearer ${values.token}`, 'content-type': 'application/json' },
      body: JSON.stringify(values.model === undefined ? {} : { models: values.model }),
    });
    const answer = (await response.json()) as { data?: readonly Row[]; failed?: number; error?: { message: string } };
    if (answer.data === undefined) {
      complain(answer.error?.message ?? `The gateway answered with ${response.status}.`);
      return 1;
    }
    const rows = answer.data.map((row) => [
      row.passed ? 'pass' : 'FAIL',
      row.case,
      row.model,
      String(row.tokens),
      row.cost === null ? '?' : `${(row.cost / 1_000_000).toFixed(4)} ${row.currency ?? ''}`.trim(),
      `${row.ms} ms`,
      row.fault ?? '',
    ]);
    say(tableOf([['', 'case', 'model', 'tokens', 'cost', 'time', ''], ...rows]));
    return answer.failed === 0 ? 0 : 1;
  },
};
