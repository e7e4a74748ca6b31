/** The outcome of a run whose answer cannot be written: while it is read, and with its last batch. */
import { describe, expect, it } from 'vitest';
import { recordReplay, recordRun } from '../../../src/application/models/recorded-run.ts';
import { singleBatch } from '../../../src/streaming/single-batch.ts';
import { Run } from '../../../src/telemetry/run.ts';
import type { BatchSink, BatchSource, ReaderFailure } from '../../../src/types/batch-source.ts';
import type { ChatEvent } from '../../../src/types/chat.ts';
import { GatewayError } from '../../../src/types/errors.ts';
import type { RunRecord } from '../../../src/types/run.ts';
import type { Principal } from '../../../src/types/access.ts';

type Batch = readonly ChatEvent[];

const principal: Principal = {
  subject: 'u-1',
  username: 'Ming',
  tenant: 'acme',
  roles: ['user'],
  permissions: new Set(),
  client: null,
  issuer: 'https://auth.example',
  credential: 'token',
  expiresAt: Infinity,
};

const delta: Batch = [{ type: 'text-delta', choice: 0, text: 'Hello' }];
const last: Batch = [
  { type: 'finish', choice: 0, reason: 'stop' },
  { type: 'response-end', usage: { inputTokens: 3, outputTokens: 2 } },
];
const request = { body: { model: 'm', messages: [{ role: 'user' as const, content: 'Hi' }] } };
const unwritable = new GatewayError('unsupported_parameter', 'The format has no place for it.');

function openRun(): { readonly run: Run; readonly records: RunRecord[] } {
  const records: RunRecord[] = [];
  const start = { principal, requestId: 'r', capability: 'model/m', operation: 'chat', streamed: true, revision: 1 };
  return { run: new Run({ record: (record) => records.push(record) }, start), records };
}

/** A source that is pushed by hand, and notes why its reader left. */
function createSource(leaving?: Promise<void>) {
  const left: (ReaderFailure | undefined)[] = [];
  let sink: BatchSink<Batch> | null = null;
  const source: BatchSource<Batch> = {
    start: (given) => void (sink = given),
    resume() {},
    cancel(failure) {
      left.push(failure);
      return leaving;
    },
    [Symbol.asyncIterator]: () => {
      throw new Error('it is pushed');
    },
  };
  return { source, left, push: () => sink as BatchSink<Batch> };
}

/** A sink that cannot write the batches that `refuses` names. */
function createSink(source: BatchSource<Batch>, refuses: 'first' | 'last' | 'none'): BatchSink<Batch> {
  const giveUp = (): void => {
    source.cancel({ thrown: unwritable })?.catch(() => {});
  };
  return {
    write() {
      if (refuses === 'first') giveUp();
      return refuses !== 'first';
    },
    end() {
      if (refuses === 'last') giveUp();
    },
    fail() {},
  };
}

describe.each([
  ['a run of its own', (run: Run, source: BatchSource<Batch>) => recordRun(run, request, source)],
  ['a run of child runs', (run: Run, source: BatchSource<Batch>) => recordRun(run, null, source)],
  ['an answer from the cache', (run: Run, source: BatchSource<Batch>) => recordReplay(run, source)],
])('%s', (_what, record) => {
  it('is complete when the last batch was written', () => {
    const { run, records } = openRun();
    const { source, push } = createSource();
    const answer = record(run, source);
    answer.start(createSink(answer, 'none'));
    push().write(delta);
    expect(records).toEqual([]);
    push().end(last);
    expect(records).toMatchObject([{ outcome: 'complete', error: null }]);
  });

  it('ends with the error of a batch that cannot be written, and the source learns why', () => {
    const { run, records } = openRun();
    const { source, push, left } = createSource();
    const answer = record(run, source);
    answer.start(createSink(answer, 'first'));
    expect(push().write(delta)).toBe(false);
    expect(records).toMatchObject([{ outcome: 'error', error: 'unsupported_parameter' }]);
    expect(left).toEqual([{ thrown: unwritable }]);
  });

  it('ends with the error of a last batch that cannot be written', () => {
    const { run, records } = openRun();
    const { source, push } = createSource();
    const answer = record(run, source);
    answer.start(createSink(answer, 'last'));
    push().write(delta);
    push().end(last);
    expect(records).toMatchObject([{ outcome: 'error', error: 'unsupported_parameter' }]);
  });

  it('ends with that error also where the source needs time to end its work', async () => {
    const { run, records } = openRun();
    const { source, push } = createSource(Promise.resolve());
    const answer = record(run, source);
    answer.start(createSink(answer, 'last'));
    push().write(delta);
    push().end(last);
    await expect.poll(() => records).toMatchObject([{ outcome: 'error', error: 'unsupported_parameter' }]);
  });

  it('is aborted by a reader that leaves without a failure', () => {
    const { run, records } = openRun();
    const { source, push } = createSource();
    const answer = record(run, source);
    answer.start(createSink(answer, 'none'));
    push().write(delta);
    answer.cancel()?.catch(() => {});
    expect(records).toMatchObject([{ outcome: 'aborted', error: 'client_closed_request' }]);
  });
});

it('has the usage of an answer whose last batch could not be written', () => {
  const { run, records } = openRun();
  const answer = recordRun(run, request, singleBatch<Batch>([...delta, ...last]));
  answer.start(createSink(answer, 'last'));
  expect(records).toMatchObject([{ outcome: 'error', usage: { inputTokens: 3, outputTokens: 2 } }]);
});
