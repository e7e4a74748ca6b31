/** The access log: one JSON line on standard output for each call that ended. Lines are written together, off the call's path. */
import { pino } from 'pino';
import { errorTable } from '../types/errors.ts';
import type { Ledger, RunRecord } from '../types/run.ts';

export interface AccessLog extends Disposable {
  /** A ledger that passes records on to `ledger` and logs those of calls. Runs inside a skill are part of their call. */
  logging(ledger: Ledger): Ledger;
}

export interface AccessLogOptions {
  /** The share of complete calls that are logged, from 0 to 1. Failed calls are always logged, except with 0. */
  readonly share: number;
  /** Takes whole lines. Default: standard output. */
  readonly write?: (lines: string) => void;
}

/** The longest time in milliseconds for which a line is held back. */
const writtenEveryMs = 200;
const mostHeld = 500;

const time = (ms: number | null, from: number): string => (ms === null ? 'null' : String(ms - from));

/** Built without a serializer: only names that people choose need escaping. */
function lineOf(run: RunRecord): string {
  const { usage, error } = run;
  const status = error === null ? 200 : errorTable[error].status;
  return (
    `{"level":"info","time":"${new Date(run.endedAt).toISOString()}","msg":"call","trace_id":"${run.root}","request_id":"${run.requestId}"` +
    `,"tenant":${JSON.stringify(run.tenant)},"issuer":${JSON.stringify(run.issuer)},"subject":${JSON.stringify(run.subject)}` +
    `,"key":${JSON.stringify(run.key)},"client":${JSON.stringify(run.client)},"capability":${JSON.stringify(run.capability)}` +
    `,"operation":"${run.operation}","streamed":${run.streamed},"deployment":${JSON.stringify(run.deployment)},"attempts":${run.attempts.length}` +
    `,"outcome":"${run.outcome}","code":${error === null ? 'null' : `"${error}"`},"status":${status}` +
    `,"ms":${run.endedAt - run.startedAt},"first_token_ms":${time(run.firstTokenAt, run.startedAt)}` +
    `,"input_tokens":${usage?.inputTokens ?? null},"output_tokens":${usage?.outputTokens ?? null},"estimated":${usage?.estimated === true}}\n`
  );
}

/** Owns a timer while lines wait. `dispose` writes the rest. */
export function createAccessLog({ share, write }: AccessLogOptions): AccessLog {
  const sink = write === undefined && share > 0 ? pino.destination({ dest: 1, sync: false }) : null;
  const out = write ?? ((lines: string) => void sink?.write(lines));
  let lines: string[] = [];
  let timer: NodeJS.Timeout | null = null;
  /** Grows by `share` with each call; a call is logged when it reaches one. */
  let due = 0;

  const flush = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (lines.length === 0) return;
    out(lines.join(''));
    lines = [];
  };
  const isLogged = (run: RunRecord): boolean => {
    if (run.parent !== null) return false;
    if (run.error !== null) return true;
    due += share;
    if (due < 1) return false;
    due -= 1;
    return true;
  };

  return {
    logging(ledger) {
      if (share === 0) return ledger;
      return {
        ...ledger,
        record(run) {
          ledger.record(run);
          if (!isLogged(run)) return;
          lines.push(lineOf(run));
          if (lines.length >= mostHeld) flush();
          else timer ??= setTimeout(flush, writtenEveryMs).unref();
        },
      };
    },
    [Symbol.dispose]() {
      flush();
      sink?.flushSync();
    },
  };
}
