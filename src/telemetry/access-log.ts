/** The access log: one JSON line on standard output for each call that ended, and for each request that was refused before. Lines are written together, off the call's path. */
import { errorTable } from '../types/errors.ts';
import type { Refusal } from '../types/refusal.ts';
import type { Ledger, RunRecord } from '../types/run.ts';
import { standardSink } from './line-sink.ts';

export interface AccessLog extends Disposable {
  /** A ledger that passes records on to `ledger` and logs those of calls. Runs inside a skill are part of their call. */
  logging(ledger: Ledger): Ledger;
  /** Logs a request that has no run. */
  refused(refusal: Refusal): void;
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

/** Names that people choose, as JSON. Most lines repeat those of earlier ones. */
const written = new Map<string, string>();
const mostWritten = 2_000;
const longestWritten = 200;

function quoted(name: string | null): string {
  if (name === null) return 'null';
  let text = written.get(name);
  if (text !== undefined) return text;
  text = JSON.stringify(name);
  if (name.length > longestWritten) return text;
  if (written.size >= mostWritten) written.clear();
  written.set(name, text);
  return text;
}

let secondOf = -1;
let second = '';

/** As `toISOString`, which costs more than the rest of a line. */
function timeText(epochMs: number): string {
  const whole = Math.floor(epochMs / 1_000);
  if (whole !== secondOf) {
    second = new Date(whole * 1_000).toISOString().slice(0, -4);
    secondOf = whole;
  }
  return `${second}${String(epochMs - whole * 1_000).padStart(3, '0')}Z`;
}

/** Built without a serializer: only names that people choose need escaping. */
function lineOf(run: RunRecord): string {
  const { usage, error } = run;
  const status = error === null ? 200 : errorTable[error].status;
  return (
    `{"level":"info","time":"${timeText(run.endedAt)}","msg":"call","trace_id":"${run.root}","request_id":"${run.requestId}"` +
    `,"tenant":${quoted(run.tenant)},"issuer":${quoted(run.issuer)},"subject":${quoted(run.subject)}` +
    `,"key":${quoted(run.key)},"client":${quoted(run.client)},"capability":${quoted(run.capability)}` +
    `,"operation":"${run.operation}","streamed":${run.streamed},"deployment":${quoted(run.deployment)},"attempts":${run.attempts.length}` +
    `,"outcome":"${run.outcome}","code":${error === null ? 'null' : `"${error}"`},"status":${status}` +
    `,"ms":${run.endedAt - run.startedAt},"first_token_ms":${time(run.firstTokenAt, run.startedAt)}` +
    `,"input_tokens":${usage?.inputTokens ?? null},"output_tokens":${usage?.outputTokens ?? null},"estimated":${usage?.estimated === true}}\n`
  );
}

/** The fields of a call, as far as a request has them that never became one. */
function lineOfRefusal({ code, requestId, route, at, ms, caller }: Refusal): string {
  return (
    `{"level":"info","time":"${timeText(at)}","msg":"refused","trace_id":null,"request_id":"${requestId}"` +
    `,"tenant":${quoted(caller?.tenant ?? null)},"issuer":${quoted(caller?.issuer ?? null)},"subject":${quoted(caller?.subject ?? null)}` +
    `,"key":${quoted(caller?.key ?? null)},"client":${quoted(caller?.client ?? null)},"route":${quoted(route)}` +
    `,"outcome":"error","code":"${code}","status":${errorTable[code].status},"ms":${ms}}\n`
  );
}

/** Owns a timer while lines wait. `dispose` writes the rest. */
export function createAccessLog({ share, write }: AccessLogOptions): AccessLog {
  const sink = write === undefined && share > 0 ? standardSink(1) : null;
  const out = write ?? ((lines: string) => sink?.write(lines));
  /** Calls whose lines are not written yet. A record costs less memory than its line, and the ledger holds it anyway. */
  let held: (RunRecord | Refusal)[] = [];
  let timer: NodeJS.Timeout | null = null;
  /** Grows by `share` with each call; a call is logged when it reaches one. */
  let due = 0;

  const flush = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (held.length === 0) return;
    let lines = '';
    for (const ended of held) lines += 'route' in ended ? lineOfRefusal(ended) : lineOf(ended);
    held = [];
    out(lines);
  };
  const hold = (ended: RunRecord | Refusal): void => {
    held.push(ended);
    if (held.length >= mostHeld) flush();
    else timer ??= setTimeout(flush, writtenEveryMs).unref();
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
          if (isLogged(run)) hold(run);
        },
      };
    },
    refused(refusal) {
      if (share > 0) hold(refusal);
    },
    [Symbol.dispose]() {
      flush();
      sink?.flushSync();
    },
  };
}
