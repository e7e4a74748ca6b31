/** Usage and cost of a run and its child runs. */
import { describe, expect, it } from 'vitest';
import { Run } from '../../src/telemetry/run.ts';
import { compilePrice, type Price } from '../../src/types/price.ts';
import type { RunRecord } from '../../src/types/run.ts';
import { principal } from '../extensions/mcp/services.ts';

const price = (currency: string): Price => compilePrice({ currency, input: '1', output: '1' });

function open(): { run: Run; recorded: RunRecord[] } {
  const recorded: RunRecord[] = [];
  const start = { principal, requestId: 'r', capability: 'skill/a', operation: 'skill', streamed: false, revision: 1 };
  return { run: new Run({ record: (record) => void recorded.push(record) }, start), recorded };
}
function model(parent: Run, tokens: number, own: Price | null = price('EUR')): Run {
  const run = parent.child('model/m', 'chat');
  run.answeredBy('d', own);
  run.used({ inputTokens: tokens, outputTokens: 0 });
  return run;
}

describe('the cost of a run', () => {
  it('is the sum of all its child runs, in progress or ended, complete or failed, each counted once', () => {
    const { run, recorded } = open();
    expect(run.spent).toEqual({ usage: null, cost: null, currency: null });
    model(run, 10).end('complete');
    const inner = run.child('skill/b', 'skill');
    model(inner, 5).end('error', 'upstream_error');
    const open2 = model(inner, 2);
    expect(run.spent).toMatchObject({ usage: { inputTokens: 17 }, cost: 17_000_000_000n, currency: 'EUR' });
    open2.end('complete');
    inner.end('complete');
    run.end('complete');
    expect(run.spent).toMatchObject({ usage: { inputTokens: 17 }, cost: 17_000_000_000n, currency: 'EUR' });
    // Each run records only its own usage.
    expect(recorded.map(({ usage }) => usage?.inputTokens ?? null)).toEqual([10, 5, 2, null, null]);
  });

  it('includes a child run that ends after its parent, once, and reports when all have ended', async () => {
    const { run } = open();
    const inner = run.child('skill/b', 'skill');
    const late = model(inner, 5);
    let isQuiet = false;
    const quiet = inner.quiet().then(() => (isQuiet = true));
    inner.end('error', 'upstream_timeout');
    await Promise.resolve();
    expect(isQuiet).toBe(false);
    late.used({ inputTokens: 7, outputTokens: 0 });
    late.end('aborted');
    await quiet;
    expect([run, inner].map(({ spent }) => spent.usage?.inputTokens)).toEqual([7, 7]);
    await run.quiet();
  });

  it('is unknown where a price is unknown or currencies differ, and free calls do not change it', () => {
    const unknown = open().run;
    model(unknown, 1);
    model(unknown, 1, null);
    expect(unknown.spent).toMatchObject({ usage: { inputTokens: 2 }, cost: null });
    const mixed = open().run;
    model(mixed, 1);
    model(mixed, 1, price('CNY'));
    model(mixed, 1);
    expect(mixed.spent).toMatchObject({ cost: null, currency: null });
    const free = open().run;
    free.child('model/m', 'chat').answeredFromCache();
    model(free, 3);
    expect(free.spent).toMatchObject({ cost: 3_000_000_000n, currency: 'EUR' });
  });

  it('is marked when one of the counts is estimated', () => {
    const { run } = open();
    model(run, 1);
    const guessed = run.child('model/m', 'chat');
    guessed.used({ inputTokens: 1, outputTokens: 1, estimated: true });
    expect(run.spent.usage).toEqual({ inputTokens: 2, outputTokens: 1, estimated: true });
  });
});
