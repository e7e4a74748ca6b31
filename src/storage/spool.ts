/** A folder of records that the database could not take yet: one JSON line each, drained later in order. */
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

export interface Spool<T> {
  /** Returns when the records are on the disk. */
  put(records: readonly T[]): Promise<void>;
  /** Hands each file's records to `take` and removes the file when that succeeded. Stops, and rejects, at the first that fails. */
  drain(take: (records: readonly T[]) => Promise<void>): Promise<number>;
}

const suffix = '.ndjson';

export function createSpool<T>(folder: string): Spool<T> {
  let count = 0;
  return {
    async put(records) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const name = `${Date.now().toString().padStart(15, '0')}-${process.pid}-${count++}`;
      const draft = join(folder, `${name}.part`);
      const file = await open(draft, 'wx', 0o600);
      try {
        await file.writeFile(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
        await file.sync();
      } finally {
        await file.close();
      }
      // Only whole files bear the name that the drain looks for.
      await rename(draft, join(folder, name + suffix));
    },
    async drain(take) {
      const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(suffix)).toSorted();
      for (const name of names) {
        const path = join(folder, name);
        const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '');
        await take(lines.map((line) => JSON.parse(line) as T));
        await rm(path, { force: true });
      }
      return names.length;
    },
  };
}
