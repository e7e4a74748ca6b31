/** The access log: which calls get a line, and what is in it. */
import { describe, expect, it } from 'vitest';
import { createAccessLog } from '../../src/telemetry/access-log.ts';
import { Run } from '../../src/telemetry/run.ts';
import type { RunRecord } from '../../src/types/run.ts';
import { principal } from '../extensions/mcp/services.ts';

const start = { principal, requestId: 'r-1', capability: 'model/"quoted"', operation: 'chat', streamed: true, revision: 1 };

/** The lines of the calls that `work` makes. */
function linesOf(share: number, work: (open: () => Run) => void): { lines: unknown[]; recorded: RunRecord[] } {
  const recorded: RunRecord[] = [];
  let text = '';
  const log = createAccessLog({ share, write: (lines) => void (text += lines) });
  const ledger = log.logging({ record: (run) => void recorded.push(run) });
  work(() => new Run(ledger, start));
  log[Symbol.dispose]();
  const lines = text.split('\n').slice(0, -1);
  return { lines: lines.map((line): unknown => JSON.parse(line)), recorded };
}

describe('the access log', () => {
  it('has a line for each call with its caller, deployment, outcome and tokens', () => {
    const { lines, recorded } = linesOf(1, (open) => {
      const run = open();
      run.answeredBy('model#deployment', null);
      run.used({ inputTokens: 3, outputTokens: 4, estimated: true });
      run.end('complete');
    });
    expect(lines).toEqual([
      {
        level: 'info',
        time: new Date(recorded[0]?.endedAt ?? 0).toISOString(),
        msg: 'call',
        trace_id: recorded[0]?.id,
        request_id: 'r-1',
        tenant: principal.tenant,
        issuer: principal.issuer,
        subject: principal.subject,
        key: null,
        client: null,
        capability: 'model/"quoted"',
        operation: 'chat',
        streamed: true,
        deployment: 'model#deployment',
        attempts: 0,
        outcome: 'complete',
        code: null,
        status: 200,
        ms: expect.any(Number),
        first_token_ms: null,
        input_tokens: 3,
        output_tokens: 4,
        estimated: true,
      },
    ]);
  });

  it('has a line for a request that was refused before a run, and none of it when it is off', () => {
    const caller = { tenant: 't', issuer: 'https://i', subject: 's"', key: 'k', client: null };
    const refusal = {
      code: 'permission_denied',
      requestId: 'r-2',
      route: 'POST /v1/chat/completions',
      at: 1_796_275_611_007,
      ms: 4,
      caller,
    } as const;
    const refusedLines = (share: number): unknown[] => {
      const lines: string[] = [];
      const log = createAccessLog({ share, write: (text) => void lines.push(...text.trimEnd().split('\n')) });
      log.refused(refusal);
      log.refused({ ...refusal, code: 'token_invalid', caller: null });
      log[Symbol.dispose]();
      return lines.map((line): unknown => JSON.parse(line));
    };
    const { requestId, at, caller: _caller, ...shared } = refusal;
    const line = {
      level: 'info',
      time: new Date(at).toISOString(),
      msg: 'refused',
      trace_id: null,
      request_id: requestId,
      outcome: 'error',
    };
    expect(refusedLines(0.01)).toEqual([
      { ...line, ...shared, ...caller, status: 403 },
      { ...line, ...shared, tenant: null, issuer: null, subject: null, key: null, client: null, code: 'token_invalid', status: 401 },
    ]);
    expect(refusedLines(0)).toEqual([]);
  });

  it('has no line of its own for a run inside a skill, which the ledger records', () => {
    const { lines, recorded } = linesOf(1, (open) => {
      const run = open();
      run.child('model/m', 'chat').end('complete');
      run.end('complete');
    });
    expect([lines.length, recorded.length]).toEqual([1, 2]);
  });

  it('logs the given share of complete calls and every failed one; nothing when it is off', () => {
    const work = (open: () => Run): void => {
      for (let index = 0; index < 40; index++) open().end('complete');
      open().end('error', 'upstream_error');
    };
    const outcomes = (share: number): string[] => linesOf(share, work).lines.map((line) => String((line as RunRecord).outcome));
    expect(outcomes(0.25)).toEqual([...Array.from({ length: 10 }, () => 'complete'), 'error']);
    expect(outcomes(0)).toEqual([]);
    expect(linesOf(0, work).recorded).toHaveLength(41);
    expect(linesOf(1, (open) => open().end('error', 'rate_limited')).lines).toMatchObject([{ code: 'rate_limited', status: 429 }]);
  });
});
