/** Keeps the last good configuration on disk. A change appends its rows; the file is folded in a thread when it has doubled. */
import { once } from 'node:events';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { threadEnvironment } from '../../telemetry/thread-environment.ts';
import type { Logger } from '../../types/logger.ts';
import type { RowSet } from '../row-set.ts';
import { commitLine, fileName, rowLine } from './lines.ts';
import { oldFileName } from './read.ts';

export interface LastGood {
  /** Never throws and never waits: the newest revision is kept as soon as the disk allows. */
  keep(revision: number, rows: RowSet): void;
  /** The file holds this revision already. The next one is written in full. */
  restored(revision: number, rows: RowSet): void;
  /** Resolves when the newest revision is on disk. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

interface Kept {
  readonly revision: number;
  readonly rows: RowSet;
}

/** Rows per turn of the event loop in a full write. */
const rowsPerTurn = 100;
/** Below this size of the appended part the file is not folded. */
const leastFoldBytes = 1024 * 1024;

export function createLastGood({ dataDir, logger }: { readonly dataDir: string; readonly logger: Logger }): LastGood {
  const path = join(dataDir, fileName);
  let wanted: Kept | null = null;
  let kept: Kept | null = null;
  /** Open for appending; null until the file was written in full. */
  let file: FileHandle | null = null;
  let baseBytes = 0;
  let appendedBytes = 0;
  let work: Promise<void> | null = null;

  const closeFile = async (): Promise<void> => {
    const opened = file;
    file = null;
    await opened?.close();
  };
  const openFile = async (): Promise<void> => {
    file = await open(path, 'a', 0o600);
    baseBytes = (await file.stat()).size;
    appendedBytes = 0;
  };

  /** Atomic: a crash leaves the earlier file. */
  const writeAll = async ({ revision, rows }: Kept): Promise<void> => {
    await closeFile();
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    const draft = `${path}.draft`;
    try {
      const target = await open(draft, 'w', 0o600);
      try {
        let text = '';
        let count = 0;
        for (const row of rows.all()) {
          text += rowLine({ kind: row.kind, tenant: row.tenant, name: row.name, row });
          if (++count % rowsPerTurn !== 0) continue;
          await target.writeFile(text);
          await nextTurn();
          text = '';
        }
        await target.writeFile(text + commitLine({ revision, rows: count }));
        await target.datasync();
      } finally {
        await target.close();
      }
      await rename(draft, path);
    } finally {
      await rm(draft, { force: true });
    }
    await rm(join(dataDir, oldFileName), { force: true });
    await openFile();
  };

  const append = async (target: FileHandle, { revision, rows }: Kept, since: RowSet): Promise<void> => {
    let text = '';
    let count = 0;
    for (const { kind, tenant, name, after } of rows.differences(since)) {
      text += rowLine({ kind, tenant, name, row: after ?? null });
      count++;
    }
    const bytes = Buffer.from(text + commitLine({ revision, rows: count }));
    await target.writeFile(bytes);
    appendedBytes += bytes.length;
  };

  const fold = async (): Promise<void> => {
    await closeFile();
    const thread = new Worker(new URL('./fold.ts', import.meta.url), { workerData: { path }, execArgv: [], env: threadEnvironment() });
    await once(thread, 'exit');
    await openFile();
  };

  const write = async (next: Kept): Promise<void> => {
    if (file === null || kept === null) await writeAll(next);
    else await append(file, next, kept.rows);
    kept = next;
    if (appendedBytes > Math.max(leastFoldBytes, baseBytes)) await fold();
  };

  const run = async (): Promise<void> => {
    while (wanted !== null) {
      const next = wanted;
      wanted = null;
      try {
        await write(next);
      } catch (thrown) {
        // A line may be cut, so the next revision is written in full.
        await closeFile().catch(() => {});
        logger.warn({ err: thrown }, 'the last good configuration could not be written to disk');
      }
    }
    work = null;
  };

  return {
    keep(revision, rows) {
      if (kept?.revision === revision && kept.rows === rows) return;
      wanted = { revision, rows };
      work ??= run();
    },
    restored(revision, rows) {
      kept = { revision, rows };
    },
    async settled() {
      await work;
    },
    async close() {
      await work;
      await closeFile();
    },
  };
}
