/** A folder of records that wait for the database: JSON lines, drained in order. */
import { appendFile, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

export interface Spool<T> {
  /** Returns when the records are on disk. */
  put(records: readonly T[]): Promise<void>;
  /**
   * Passes each file's records to `take` and removes the file on success. Stops and rejects at the first failure. Returns the number of
   * removed files. Several processes may drain one folder, so `take` must accept repeated records.
   */
  drain(take: (records: readonly T[]) => Promise<void>): Promise<number>;
  /** Sets records aside that can never be stored, for a person to inspect. Returns the path. */
  refuse(lines: readonly string[]): Promise<string>;
}

const suffix = '.ndjson';
const draftSuffix = '.part';
/** A temporary file of this age belongs to a dead process. */
const abandonedAfterMs = 60_000;

function isMissing(thrown: unknown): boolean {
  return (thrown as NodeJS.ErrnoException).code === 'ENOENT';
}

export function createSpool<T>(folder: string): Spool<T> {
  let count = 0;

  const isAbandoned = async (name: string): Promise<boolean> =>
    stat(join(folder, name)).then(
      ({ mtimeMs }) => Date.now() - mtimeMs > abandonedAfterMs,
      () => false,
    );

  const refuse = async (lines: readonly string[]): Promise<string> => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, 'refused.txt');
    await appendFile(path, lines.map((line) => `${line}\n`).join(''), { mode: 0o600, flush: true });
    return path;
  };

  const drainFile = async (path: string, take: (records: readonly T[]) => Promise<void>): Promise<void> => {
    const records: T[] = [];
    const broken: string[] = [];
    for (const line of (await readFile(path, 'utf8')).split('\n')) {
      if (line === '') continue;
      try {
        records.push(JSON.parse(line) as T);
      } catch {
        broken.push(line);
      }
    }
    if (records.length > 0) await take(records);
    if (broken.length > 0) await refuse(broken);
    await rm(path, { force: true });
  };

  return {
    async put(records) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const name = `${Date.now().toString().padStart(15, '0')}-${process.pid}-${String(count++).padStart(6, '0')}`;
      const draft = join(folder, name + draftSuffix);
      const file = await open(draft, 'wx', 0o600);
      try {
        await file.writeFile(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
        await file.sync();
      } catch (thrown) {
        // A partial file (disk full) would only take space.
        await rm(draft, { force: true }).catch(() => {});
        throw thrown;
      } finally {
        await file.close();
      }
      // Only complete files have the name that `drain` looks for.
      await rename(draft, join(folder, name + suffix));
    },
    async drain(take) {
      let drained = 0;
      for (const name of (await readdir(folder).catch(() => [] as string[])).toSorted((one, other) => (one < other ? -1 : 1))) {
        if (!name.endsWith(suffix) && !(name.endsWith(draftSuffix) && (await isAbandoned(name)))) continue;
        try {
          await drainFile(join(folder, name), take);
          drained++;
        } catch (thrown) {
          // Another process on this folder was faster.
          if (!isMissing(thrown)) throw thrown;
        }
      }
      return drained;
    },
    refuse,
  };
}
