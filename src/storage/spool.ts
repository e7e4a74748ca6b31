/** A folder of records that wait for the database: JSON lines, drained in order. */
import { appendFile, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

export interface Spool<T> {
  /** Returns when the records are on disk. */
  put(records: readonly T[]): Promise<void>;
  /**
   * Passes the records of the files to `take`, oldest file first and small files together, and removes the files on success. Stops and
   * rejects at the first failure. Returns the number of removed files. Several processes may drain one folder, so `take` must accept
   * repeated records.
   */
  drain(take: (records: readonly T[]) => Promise<void>): Promise<number>;
  /** The number of files that wait. */
  files(): Promise<number>;
  /** Sets records aside that can never be stored, for a person to inspect. Returns the path. */
  refuse(lines: readonly string[]): Promise<string>;
}

const suffix = '.ndjson';
const draftSuffix = '.part';
/** A temporary file of this age belongs to a dead process. */
const abandonedAfterMs = 60_000;

/** Small files are read together up to this size in characters; one larger file is read alone. */
const mostTogether = 8 * 1024 * 1024;
/** Further files wait for the next group when one has so many records. */
const mostRecordsTogether = 2_000;

/** Files that are drained together. */
interface FileGroup<T> {
  readonly names: string[];
  readonly records: T[];
  /** Lines that are not JSON. */
  readonly broken: string[];
  size: number;
}

const emptyGroup = <T>(): FileGroup<T> => ({ names: [], records: [], broken: [], size: 0 });

function addFile<T>(group: FileGroup<T>, name: string, text: string): void {
  group.names.push(name);
  group.size += text.length;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    try {
      group.records.push(JSON.parse(line) as T);
    } catch {
      group.broken.push(line);
    }
  }
}

function isMissing(thrown: unknown): boolean {
  return (thrown as NodeJS.ErrnoException).code === 'ENOENT';
}

export function createSpool<T>(folder: string): Spool<T> {
  let count = 0;
  /** Files that this process writes at the moment: a step of the clock does not make them old. */
  const drafts = new Set<string>();

  const isAbandoned = async (name: string): Promise<boolean> =>
    !drafts.has(name) &&
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

  /** The text of a file; null when another process on this folder was faster. */
  const textOf = (name: string): Promise<string | null> =>
    readFile(join(folder, name), 'utf8').catch((thrown: unknown) => {
      if (isMissing(thrown)) return null;
      throw thrown;
    });

  const writeDraft = async (draft: string, records: readonly T[]): Promise<void> => {
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
  };

  return {
    async put(records) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const name = `${Date.now().toString().padStart(15, '0')}-${process.pid}-${String(count++).padStart(6, '0')}`;
      const draft = join(folder, name + draftSuffix);
      drafts.add(name + draftSuffix);
      try {
        await writeDraft(draft, records);
        // Only complete files have the name that `drain` looks for.
        await rename(draft, join(folder, name + suffix));
      } finally {
        drafts.delete(name + draftSuffix);
      }
    },
    async drain(take) {
      let drained = 0;
      let group = emptyGroup<T>();
      const takeGroup = async (): Promise<void> => {
        const { names, records, broken } = group;
        if (records.length > 0) await take(records);
        if (broken.length > 0) await refuse(broken);
        for (const name of names) await rm(join(folder, name), { force: true });
        drained += names.length;
        group = emptyGroup();
      };
      for (const name of (await readdir(folder).catch(() => [] as string[])).toSorted((one, other) => (one < other ? -1 : 1))) {
        if (!name.endsWith(suffix) && !(name.endsWith(draftSuffix) && (await isAbandoned(name)))) continue;
        const text = await textOf(name);
        if (text === null) continue;
        if (group.size + text.length > mostTogether || group.records.length >= mostRecordsTogether) await takeGroup();
        addFile(group, name, text);
      }
      if (group.names.length > 0) await takeGroup();
      return drained;
    },
    files: async () => (await readdir(folder).catch(() => [] as string[])).filter((name) => name.endsWith(suffix)).length,
    refuse,
  };
}
