/** Streams of 30 tokens a second: how many one core carries, and when a further stream sends its first bytes beside them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { openStreams } from './load.ts';
import type { Candidate } from './measure.ts';
import { pace } from './pace.ts';
import { cpuMicroseconds } from './processes.ts';
import type { Row } from './report.ts';
import { paceBody, shortStream } from './scenarios.ts';

const carried = 400;

/** CPU of `count` open streams, as a share of one core, and the first bytes of short streams beside them. */
async function carry(candidate: Candidate, count: number, seconds: number): Promise<{ core: number; first: number }> {
  const close = await openStreams(candidate, paceBody, count);
  try {
    await sleep(2_000);
    const before = cpuMicroseconds(candidate.pid);
    const began = performance.now();
    await sleep(seconds * 1_000);
    const core = (cpuMicroseconds(candidate.pid) - before) / ((performance.now() - began) * 1_000);
    const { first } = await pace(candidate, shortStream, { perSecond: 10, seconds: Math.min(seconds, 4) });
    return { core, first: first.p50 };
  } finally {
    await close();
  }
}

export async function streamsPerCoreRow(work: string, bare: Candidate, pailou: Candidate, quick: boolean): Promise<Row> {
  const [count, seconds] = quick ? [100, 2] : [200, 8];
  // Warm code first.
  await carry(pailou, count, seconds);
  const other = await carry(bare, count, seconds);
  const own = await carry(pailou, count, seconds);
  const full = count / own.core;
  return {
    work,
    bare: (count / other.core).toFixed(0),
    pailou: full.toFixed(0),
    ratio: own.core / other.core,
    budget: `>= ${carried}`,
    within: full >= carried,
    note: `by the CPU of ${count} streams; beside them the first bytes of a stream come after p50 ${own.first.toFixed(1)} ms (bare ${other.first.toFixed(1)})`,
  };
}
