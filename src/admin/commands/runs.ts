/** pailou runs, usage and status: what a running gateway did and how it is. */
import { parseArgs } from 'node:util';
import { answerOf, gatewayCall, gatewayOptions, printFailure, wholeList } from './gateway-call.ts';
import { type Command, print, UsageError, printJson } from './command.ts';
import { table } from './table.ts';

const filters = ['request-id', 'user', 'team', 'key', 'model', 'capability', 'outcome', 'error', 'from', 'to', 'limit', 'after'] as const;

interface RunLine {
  readonly id: string;
  readonly started_at: string | null;
  readonly username: string;
  readonly capability: string;
  readonly outcome: string;
  readonly error: string | null;
  readonly deployment: string | null;
  readonly usage: { readonly input_tokens: number; readonly output_tokens: number | null } | null;
}

const text = { type: 'string' } as const;

function queryOf(values: Readonly<Record<string, unknown>>, names: readonly string[]): string {
  const given = names.flatMap((name) => (typeof values[name] === 'string' ? [[name.replaceAll('-', '_'), values[name]]] : []));
  return new URLSearchParams(given).toString();
}

export const runsCommand: Command = {
  async run(args) {
    const options = {
      ...gatewayOptions,
      json: { type: 'boolean', default: false },
      'request-id': text,
      user: text,
      team: text,
      key: text,
      model: text,
      capability: text,
      outcome: text,
      error: text,
      from: text,
      to: text,
      limit: text,
      after: text,
    } as const;
    const { values, positionals } = parseArgs({ args, allowPositionals: true, options });
    const [id, ...more] = positionals;
    if (more.length > 0) throw new UsageError('Usage: pailou runs, or pailou runs <id>');
    const call = gatewayCall(values);
    const path =
      id === undefined ? `/api/runs?${queryOf(values, filters)}` : `/api/runs/${encodeURIComponent(id)}?${queryOf(values, ['team'])}`;
    const response = await call.send('GET', path);
    if (response === null) return 1;
    if (!response.ok) return printFailure(response);
    const answer: unknown = await answerOf(response);
    if (values.json || id !== undefined) {
      printJson(answer, values.json ? 0 : 2);
      return 0;
    }
    const { data } = answer as { data: RunLine[] };
    const lines = data.map((run) => [
      run.started_at,
      run.id,
      run.username,
      run.capability,
      run.error ?? run.outcome,
      run.deployment,
      run.usage?.input_tokens,
      run.usage?.output_tokens,
    ]);
    print(table(['STARTED', 'RUN', 'USER', 'CAPABILITY', 'OUTCOME', 'DEPLOYMENT', 'IN', 'OUT'], lines));
    return 0;
  },
};

const reportFilters = ['from', 'to', 'by', 'user', 'team'] as const;

interface UsageReport {
  readonly from: string;
  readonly to: string;
  readonly by: readonly string[];
  readonly data: readonly Readonly<Record<string, string | number | null>>[];
  readonly next: string | null;
}

export const usageCommand: Command = {
  async run(args) {
    const options = {
      ...gatewayOptions,
      json: { type: 'boolean', default: false },
      from: text,
      to: text,
      by: text,
      user: text,
      team: text,
    } as const;
    const { values } = parseArgs({ args, options });
    const report = await wholeList<UsageReport>(gatewayCall(values), `/api/usage?${queryOf(values, reportFilters)}`);
    if (report === null) return 1;
    if (values.json) printJson(report);
    else {
      const columns = [...report.by, 'calls', 'failed', 'input_tokens', 'output_tokens', 'cost', 'currency'];
      print(`${report.from} to ${report.to}`);
      print(
        table(
          columns.map((column) => column.toUpperCase()),
          report.data.map((line) => columns.map((column) => line[column])),
        ),
      );
    }
    return 0;
  },
};

interface RevisionAnswer {
  readonly revision: number;
  readonly stale: boolean;
  readonly nodes: readonly {
    readonly id: string;
    readonly host: string | null;
    readonly version: string;
    readonly revision: number;
    readonly started_at: string;
  }[];
}

/** Exit code 1 when the gateway is not ready or serves an old configuration. */
export const statusCommand: Command = {
  async run(args) {
    const { values } = parseArgs({ args, options: { ...gatewayOptions, json: { type: 'boolean', default: false } } });
    const call = gatewayCall(values);
    const ready = await call.send('GET', '/readyz');
    if (ready === null) return 1;
    const readiness: unknown = await answerOf(ready);
    const response = await call.send('GET', '/api/config/revision');
    if (response === null) return 1;
    if (!response.ok) return printFailure(response);
    const state: RevisionAnswer = await answerOf(response);
    const isWell = ready.ok && !state.stale;
    if (values.json) printJson({ ready: ready.ok, readiness, ...state });
    else {
      print(`${ready.ok ? 'ready' : 'not ready'}, revision ${state.revision}${state.stale ? ' (older than the database)' : ''}`);
      print(
        table(
          ['NODE', 'HOST', 'VERSION', 'REVISION', 'STARTED'],
          state.nodes.map(({ id, host, version, revision, started_at: started }) => [id, host, version, revision, started]),
        ),
      );
    }
    return isWell ? 0 : 1;
  },
};
