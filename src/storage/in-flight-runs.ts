/** Streams, tools and skills in progress, on disk every two seconds: another process records the runs of a dead node. Each process writes its own file, so a fresh file means a live writer. */
import { randomUUID } from 'node:crypto';
import { mkdir, open as openFile, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../types/logger.ts';
import type { Ledger, OpenRun, RunRecord } from '../types/run.ts';

export interface InFlightRuns extends Required<Ledger>, AsyncDisposable {}

export interface InFlightRunsOptions {
  /** The ledger for ended runs and for runs of dead nodes. */
  readonly ledger: Ledger;
  readonly dataDir: string;
  readonly logger: Logger;
  readonly everyMs?: number;
  /** A file of this age belongs to a dead process. */
  readonly deadAfterMs?: number;
}

const suffix = '.ndjson';
const takenSuffix = '.taken';
/** Runs written per turn of the event loop. */
const atOnce = 200;

export function createInFlightRuns({ ledger, dataDir, logger, everyMs = 2_000, deadAfterMs = 30_000 }: InFlightRunsOptions): InFlightRuns {
  const folder = join(dataDir, 'open-runs');
  const own = `${randomUUID()}${suffix}`;
  const open = new Map<string, OpenRun>();
  let written = false;
  let complained = false;
  let working: Promise<void> = Promise.resolve();

  const write = async (): Promise<void> => {
    if (open.size === 0 && !written) return;
    const path = join(folder, own);
    if (open.size === 0) {
      written = false;
      return rm(path, { force: true });
    }
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await using file = await openFile(`${path}.part`, 'w', 0o600);
    let lines = '';
    let count = 0;
    for (const run of open.values()) {
      lines += `${JSON.stringify(run.snapshot())}\n`;
      if (++count % atOnce > 0) continue;
      await file.write(lines);
      lines = '';
    }
    await file.write(lines);
    await rename(`${path}.part`, path);
    written = true;
  };

  const adopt = async (path: string): Promise<void> => {
    const taken = join(folder, `${randomUUID()}${takenSuffix}`);
    // Of several nodes on one folder only one succeeds.
    await rename(path, taken);
    const lines = (await readFile(taken, 'utf8')).split('\n').filter((line) => line !== '');
    const runs = lines.map((line) => JSON.parse(line) as RunRecord);
    // A run that ended after all has its own record, and the first record stays.
    for (const run of runs) ledger.record(run);
    await rm(taken, { force: true });
    logger.warn({ runs: runs.length }, 'a node stopped during calls; their known usage is recorded');
  };

  const look = async (): Promise<void> => {
    const names = await readdir(folder).catch(() => []);
    for (const name of names) {
      if (name.startsWith(own)) continue;
      const path = join(folder, name);
      const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
      if (Date.now() - mtimeMs <= deadAfterMs) continue;
      if (name.endsWith(suffix) || name.endsWith(takenSuffix)) await adopt(path);
      else await rm(path, { force: true });
    }
  };

  const step = (work: () => Promise<void>): Promise<void> => {
    working = working.then(work).then(
      () => {
        complained = false;
      },
      (thrown: unknown) => {
        if (!complained) logger.warn({ err: thrown, folder }, 'active runs cannot be written to disk; trying again');
        complained = true;
      },
    );
    return working;
  };
  step(look).catch(() => {});
  const writer = setInterval(() => void step(write), everyMs).unref();
  const finder = setInterval(() => void step(look), deadAfterMs / 3).unref();

  return {
    begun: (run) => void open.set(run.id, run),
    record(run) {
      open.delete(run.id);
      ledger.record(run);
    },
    content: (id, days, content) => ledger.content?.(id, days, content),
    async [Symbol.asyncDispose]() {
      clearInterval(writer);
      clearInterval(finder);
      await step(write);
    },
  };
}
