/** Measures in interleaved windows: each target in turn, repeatedly, so that noise from other processes affects all targets alike. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Call, load, type LoadResult, openStreams, type Target } from './load.ts';
import { cpuMicroseconds, residentKilobytes } from './processes.ts';
import type { Scenario } from './scenarios.ts';

export interface Candidate extends Target {
  readonly name: string;
  readonly pid: number;
  /** True for Pailou: a scenario may call it in another client format. */
  readonly speaksFaces?: boolean;
}

export interface Window {
  readonly cpuPerUnit: number;
  readonly callsPerSecond: number;
}

export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

export interface Measured {
  /** By candidate, one entry per window, in chronological order. */
  readonly windows: ReadonlyMap<string, readonly Window[]>;
  /** By candidate, with two callers only, so that no call waits in a queue. */
  readonly latency: ReadonlyMap<string, Latency>;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

const quantile = (ascending: readonly number[], share: number): number =>
  ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * share))] ?? Number.NaN;
export const latencyOf = (results: readonly Pick<LoadResult, 'latencies'>[]): Latency => {
  const all = results.flatMap((result) => result.latencies).sort((one, other) => one - other);
  return { p50: quantile(all, 0.5), p99: quantile(all, 0.99) };
};

export interface Plan {
  readonly windows: number;
  /** Calls of each candidate before its first window. */
  readonly warmCalls: number;
  readonly seconds: number;
}

/** Runs one scenario against all candidates. The first window of each is a warm-up and is discarded. */
export async function measure(scenario: Scenario, candidates: readonly Candidate[], direct: Target, plan: Plan): Promise<Measured> {
  const { callers } = scenario;
  const callOf = (candidate: Candidate): Call => (candidate.speaksFaces === true ? (scenario.face ?? scenario.call) : scenario.call);
  for (const candidate of candidates)
    await load(candidate, callOf(candidate), { callers, seconds: Infinity, calls: Math.ceil(plan.warmCalls / scenario.unitsPerCall) });
  const windows = new Map(candidates.map(({ name }): [string, Window[]] => [name, []]));
  for (let index = 0; index <= plan.windows; index++) {
    for (const candidate of candidates) {
      const before = cpuMicroseconds(candidate.pid);
      const result = await load(candidate, callOf(candidate), { callers, seconds: plan.seconds });
      const used = cpuMicroseconds(candidate.pid) - before;
      if (index > 0)
        windows
          .get(candidate.name)
          ?.push({ cpuPerUnit: used / (result.calls * scenario.unitsPerCall), callsPerSecond: result.calls / result.seconds });
    }
  }
  const latency = new Map<string, Latency>();
  if (!scenario.call.streamed && scenario.face === undefined) {
    const targets = [{ name: 'direct', target: direct }, ...candidates.map((candidate) => ({ name: candidate.name, target: candidate }))];
    const results = new Map(targets.map(({ name }): [string, LoadResult[]] => [name, []]));
    for (let round = 0; round < 3; round++) {
      for (const { name, target } of targets)
        results.get(name)?.push(await load(target, scenario.call, { callers: 2, seconds: plan.seconds / 3 }));
    }
    for (const { name } of targets) latency.set(name, latencyOf(results.get(name) ?? []));
  }
  return { windows, latency };
}

/** Resident memory at rest: the minimum of several samples, over a longer time than an idle process takes to collect its garbage. */
async function settledKilobytes(pid: number): Promise<number> {
  let least = Infinity;
  for (let look = 0; look < 50; look++) {
    await sleep(500);
    least = Math.min(least, residentKilobytes(pid));
  }
  return least;
}

/** Kilobytes of resident memory per open idle stream. It is the slope between few and many streams, which excludes the program itself and slack in its heap. */
export async function memoryPerStream(candidate: Candidate, body: Buffer, { few, many }: { few: number; many: number }): Promise<number> {
  const closeWarm = await openStreams(candidate, body, few);
  await closeWarm();
  const closeFew = await openStreams(candidate, body, few);
  const before = await settledKilobytes(candidate.pid);
  const closeMany = await openStreams(candidate, body, many - few);
  const after = await settledKilobytes(candidate.pid);
  await Promise.all([closeFew(), closeMany()]);
  return (after - before) / (many - few);
}
