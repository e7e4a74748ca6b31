/** Rows about moments: the first calls after a start, calls after idleness, calls while the configuration changes, and calls at a fixed rate. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchedGateway } from './gateway.ts';
import { load } from './load.ts';
import type { Candidate, Latency } from './measure.ts';
import { pace } from './pace.ts';
import { cpuMicroseconds, residentKilobytes } from './processes.ts';
import type { Row } from './report.ts';
import { chat, shortStream } from './scenarios.ts';

const inMs = (value: number): string => `${value.toFixed(value < 10 ? 2 : 0)} ms`;
const both = ({ p50, p99 }: Latency): string => `p50 ${inMs(p50)}, p99 ${inMs(p99)}`;

/** Resident memory of a gateway without calls, after it has returned what its start used. */
export async function idleMemoryRow(work: string, pailou: Candidate): Promise<Row> {
  // The tokenizer is read some seconds after the start.
  await sleep(20_000);
  const megabytes = residentKilobytes(pailou.pid) / 1_024;
  return {
    work,
    bare: '',
    pailou: `${megabytes.toFixed(0)} MB`,
    ratio: null,
    budget: '<= 120 MB',
    within: megabytes <= 120,
    note: 'resident, twenty seconds after the start',
  };
}

/** CPU of the first 1,000 calls of a process beside that of its warm calls. */
export async function firstCallsRow(work: string, pailou: Candidate, warmCalls: number): Promise<Row> {
  const cpuPerCall = async (calls: number): Promise<number> => {
    const before = cpuMicroseconds(pailou.pid);
    const result = await load(pailou, chat.call, { callers: 16, seconds: Infinity, calls });
    return (cpuMicroseconds(pailou.pid) - before) / result.calls;
  };
  const first = await cpuPerCall(1_000);
  await cpuPerCall(warmCalls);
  const floor = await cpuPerCall(4_000);
  return {
    work,
    bare: '',
    pailou: `${first.toFixed(0)} µs`,
    ratio: first / floor,
    budget: '<= 3',
    within: first / floor <= 3,
    note: `ratio to ${floor.toFixed(0)} µs after ${warmCalls.toLocaleString('en')} calls`,
  };
}

/** The next calls after 10 s without any. */
export async function afterIdlenessRow(work: string, candidates: readonly Candidate[]): Promise<Row> {
  const [bare = '', pailou = ''] = await Promise.all(
    candidates.map(async (candidate) => {
      const options = { perSecond: 50, seconds: 4 };
      const before = await pace(candidate, chat.call, options);
      await sleep(10_000);
      const after = await pace(candidate, chat.call, options);
      return `${both(after.whole)} (before ${both(before.whole)})`;
    }),
  );
  return { work, bare, pailou, ratio: null, budget: 'as before', within: null, note: '50 calls a second, four seconds' };
}

/** Latency at a rate that both can serve, to the end and to the first token. */
export async function paceRows(work: string, candidates: readonly Candidate[], seconds: number): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const [name, call, perSecond, part] of [
    ['to the end of a chat', chat.call, 200, 'whole'],
    ['to the first token of a stream', shortStream, 50, 'first'],
  ] as const) {
    const found: string[] = [];
    for (const candidate of candidates) found.push(both((await pace(candidate, call, { perSecond, seconds }))[part]));
    const [bare = '', pailou = ''] = found;
    rows.push({ work: `${work}, ${name}`, bare, pailou, ratio: null, budget: '', within: null, note: `${perSecond} calls a second` });
  }
  return rows;
}

/** Chats at a fixed rate while one change a second goes live. */
export async function changesRow(work: string, gateway: BenchedGateway, pailou: Candidate, seconds: number): Promise<Row> {
  const options = { perSecond: 100, seconds };
  const calm = await pace(pailou, chat.call, options);
  const changing = await pace(pailou, chat.call, { ...options, meanwhile: () => gateway.change() });
  return {
    work,
    bare: '',
    pailou: inMs(changing.whole.p99),
    ratio: null,
    budget: '<= 100 ms',
    within: changing.whole.p99 <= 100,
    note: `p50 ${inMs(changing.whole.p50)}; without changes ${both(calm.whole)}; longest hold of the event loop ${await gateway.longestHold()}`,
  };
}
