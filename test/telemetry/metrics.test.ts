/** Metrics of runs: every run counted once, however often they are scraped. */
import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { runRecord } from '../storage/records.ts';

const seriesOf = (text: string, name: string): string[] => text.split('\n').filter((line) => line.startsWith(`${name}{`));

describe('metrics of runs', () => {
  it('count runs, attempts and tokens by their labels, across scrapes', async () => {
    const metrics = createMetrics();
    const handedOn: string[] = [];
    const ledger = metrics.counting({ record: (run) => handedOn.push(run.id) });
    const record = runRecord({ usage: { inputTokens: 10, outputTokens: 4 } });
    ledger.record(record);
    ledger.record(record);
    ledger.record(runRecord({ outcome: 'error', error: 'rate_limited', usage: null, attempts: [] }));
    await metrics.render();
    ledger.record(record);
    const { text } = await metrics.render();
    expect(handedOn).toHaveLength(4);
    expect(seriesOf(text, 'pailou_runs_total')).toEqual([
      'pailou_runs_total{capability="model/gpt-4o",operation="chat",outcome="complete",error=""} 3',
      'pailou_runs_total{capability="model/gpt-4o",operation="chat",outcome="error",error="rate_limited"} 1',
    ]);
    expect(seriesOf(text, 'pailou_attempts_total')).toEqual([
      'pailou_attempts_total{deployment="gpt-4o#azure/gpt-4o",outcome="error",error="upstream_error"} 3',
      'pailou_attempts_total{deployment="gpt-4o#openai/gpt-4o",outcome="complete",error=""} 3',
    ]);
    expect(seriesOf(text, 'pailou_tokens_total')).toEqual([
      'pailou_tokens_total{capability="model/gpt-4o",direction="input",source="vendor"} 30',
      'pailou_tokens_total{capability="model/gpt-4o",direction="output",source="vendor"} 12',
    ]);
    expect(text).toContain('pailou_run_duration_seconds_count{operation="chat"} 4');
  });

  it('keep series apart whose labels differ only in where one ends and the next begins', async () => {
    const metrics = createMetrics();
    const ledger = metrics.counting({ record: () => {} });
    ledger.record(runRecord({ capability: 'model/a\nchat', operation: 'b', attempts: [], usage: null }));
    ledger.record(runRecord({ capability: 'model/a', operation: 'chat\nb', attempts: [], usage: null }));
    const { text } = await metrics.render();
    expect(seriesOf(text, 'pailou_runs_total')).toHaveLength(2);
  });

  it('are answered without the gauges whose source hangs, and with them once it answers', async () => {
    const metrics = createMetrics();
    const { promise, resolve } = Promise.withResolvers<ReadonlyMap<string, number>>();
    metrics.watch({ name: 'pailou_hangs', help: 'Hangs.', label: 'table', read: () => promise });
    metrics.watch({ name: 'pailou_answers', help: 'Answers.', label: 'folder', read: () => new Map([['data', 1]]) });
    const { text } = await metrics.render();
    expect([seriesOf(text, 'pailou_hangs'), seriesOf(text, 'pailou_answers')]).toEqual([[], ['pailou_answers{folder="data"} 1']]);
    resolve(new Map([['runs', 2]]));
    expect(seriesOf((await metrics.render()).text, 'pailou_hangs')).toEqual(['pailou_hangs{table="runs"} 2']);
  });
});
