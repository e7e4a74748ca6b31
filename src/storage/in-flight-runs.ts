/** Streams, tools and skills in progress, on disk every two seconds, and ended runs whose record is late: another process records the runs of a dead node. Each process appends what changed to its own file, so a fresh file means a live writer. */
import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open as openFile, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../types/logger.ts';
import type { Ledger } from '../types/run.ts';
import type { LedgerWriter } from './ledger.ts';
import { OpenRunLines, openRunsOf } from './open-run-lines.ts';

export interface InFlightRuns extends Required<Omit<Ledger, 'opened'>>, AsyncDisposable {}

export interface InFlightRunsOptions {
  /** The ledger for ended runs and for runs of dead nodes. */
  readonly ledger: Ledger;
  /** The writer behind that ledger: a run that has ended stays in the file until its record is stored. */
  readonly stored: Pick<LedgerWriter, 'unwritten' | 'batchMs' | 'flush'>;
  readonly dataDir: string;
  readonly logger: Logger;
  readonly everyMs?: number;
  /** Above this age of the ledger's batch, the records that wait are written to the file. */
  readonly lateAfterMs?: number;
  /** A file of this age belongs to a dead process. */
  readonly deadAfterMs?: number;
}

const suffix = '.ndjson';
const partSuffix = `${suffix}.part`;
const takenSuffix = '.taken';
/** Runs written per turn of the event loop. */
const atOnce = 200;
/** Below this size, in characters, the appended part never causes a rewrite. */
const leastRewrite = 256 * 1024;

export function createInFlightRuns(options: InFlightRunsOptions): InFlightRuns {
  const { ledger, stored, dataDir, logger, everyMs = 2_000, lateAfterMs = 200, deadAfterMs = 30_000 } = options;
  const folder = join(dataDir, 'open-runs');
  const own = `${randomUUID()}${suffix}`;
  const runs = new OpenRunLines();
  const path = join(folder, own);
  /** Sizes in characters; 0 without a file. */
  let base = 0;
  let appended = 0;
  let complained = false;
  let working: Promise<void> = Promise.resolve();

  const isLate = (): boolean => stored.batchMs > lateAfterMs;

  /** Writes the lines, and returns their size. */
  const writeTo = async (file: FileHandle): Promise<number> => {
    let size = 0;
    let lines = '';
    let count = 0;
    for (const line of runs.changes(stored.unwritten(), isLate())) {
      lines += line;
      size += line.length;
      if (++count % atOnce > 0) continue;
      await file.writeFile(lines);
      lines = '';
    }
    if (lines !== '') await file.writeFile(lines);
    return size;
  };

  const writeAll = async (): Promise<void> => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    runs.startOver();
    base = 0;
    {
      await using file = await openFile(`${path}.part`, 'w', 0o600);
      appended = await writeTo(file);
    }
    await rename(`${path}.part`, path);
    base = appended;
    appended = 0;
  };

  const append = async (): Promise<void> => {
    await using file = await openFile(path, 'a', 0o600);
    appended += await writeTo(file);
    // Without a change too: a fresh file means a live writer.
    const now = new Date();
    await file.utimes(now, now);
  };

  const write = async (): Promise<void> => {
    if (!runs.isEmpty(stored.unwritten(), isLate())) {
      if (base === 0 || appended > Math.max(base, leastRewrite)) return writeAll();
      try {
        return await append();
      } catch (thrown) {
        // A line may be cut, so the file begins anew.
        base = 0;
        throw thrown;
      }
    }
    if (base === 0) return;
    base = 0;
    runs.startOver();
    runs.forgetEnded();
    await rm(path, { force: true });
  };

  const adopt = async (found: string): Promise<void> => {
    const taken = join(folder, `${randomUUID()}${takenSuffix}`);
    // Of several nodes on one folder only one succeeds.
    await rename(found, taken);
    const left = openRunsOf(await readFile(taken, 'utf8'));
    // A run that ended after all has its own record, and the first record stays.
    for (const run of left) ledger.record(run);
    await stored.flush();
    const ids = new Set(left.map(({ id }) => id));
    // Neither the database nor the disk takes records now: the file stays, and is taken again.
    if (stored.unwritten().some(({ id }) => ids.has(id))) return;
    await rm(taken, { force: true });
    if (left.length > 0) logger.warn({ runs: left.length }, 'a node stopped during calls; their known usage is recorded');
  };

  /** The last change of each file of others, and when this process saw it, by `performance.now`. */
  const seen = new Map<string, { readonly mtimeMs: number; readonly at: number }>();
  let isFirstLook = true;

  /** True for a file that did not change for so long. Only the first look compares clocks: a step of the wall clock kills no node. */
  const isDead = (name: string, mtimeMs: number): boolean => {
    if (isFirstLook && Date.now() - mtimeMs > deadAfterMs) return true;
    const before = seen.get(name);
    if (before?.mtimeMs === mtimeMs) return performance.now() - before.at > deadAfterMs;
    seen.set(name, { mtimeMs, at: performance.now() });
    return false;
  };

  const look = async (): Promise<void> => {
    const names: readonly string[] = await readdir(folder).catch(() => []);
    for (const name of names) {
      if (name.startsWith(own)) continue;
      const found = join(folder, name);
      const { mtimeMs } = await stat(found).catch(() => ({ mtimeMs: Date.now() }));
      if (!isDead(name, mtimeMs)) continue;
      seen.delete(name);
      // The first file of a process that died before it had its name. Where an earlier one is there, that one counts.
      const isFirst = name.endsWith(partSuffix) && !names.includes(name.slice(0, -'.part'.length));
      if (isFirst || name.endsWith(suffix) || name.endsWith(takenSuffix)) await adopt(found);
      else await rm(found, { force: true });
    }
    for (const name of seen.keys()) if (!names.includes(name)) seen.delete(name);
    isFirstLook = false;
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
  // A database that is slow or away: records that wait for it are in the file before it counts as away.
  const lateWriter = setInterval(() => {
    if (isLate()) step(write).catch(() => {});
  }, lateAfterMs).unref();
  const finder = setInterval(() => void step(look), deadAfterMs / 3).unref();

  return {
    begun: (run) => runs.begun(run),
    record(run) {
      runs.ended(run.id);
      ledger.record(run);
    },
    content: (id, days, content) => ledger.content?.(id, days, content),
    async [Symbol.asyncDispose]() {
      clearInterval(writer);
      clearInterval(lateWriter);
      clearInterval(finder);
      await stored.flush();
      await step(write);
    },
  };
}
