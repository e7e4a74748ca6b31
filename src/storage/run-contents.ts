/** Retained inputs and outputs of runs: sealed, written off the call's path, deleted after their retention. */
import { join } from 'node:path';
import { sql } from 'kysely';
import type { Json } from '../types/json.ts';
import type { Logger } from '../types/logger.ts';
import type { RunContent } from '../types/run.ts';
import type { Database } from './database.ts';
import { createDurableWriter } from './durable-writer.ts';
import type { RecordState } from './record-state.ts';
import { withStorageErrors } from './storage-errors.ts';
import { inIdBatches } from './batched-ids.ts';
import type { RunContentTable } from './schema.ts';
import type { SecretBox } from './secret-box.ts';

export interface RunContents extends AsyncDisposable {
  /** Never throws and never waits. */
  keep(id: string, days: number, content: RunContent): void;
  /** Contents by run, within a total size; beyond it a run is marked as cut. The caller has checked the owner of the runs. Rejects with `storage_unavailable`. */
  read(ids: readonly string[]): Promise<ReadonlyMap<string, RunContent>>;
  flush(): Promise<void>;
}

export interface RunContentsOptions {
  /** As in `DurableWriterOptions`. */
  readonly watch?: (state: RecordState) => void;
  readonly database: Database;
  readonly dataDir: string;
  readonly box: SecretBox;
  readonly logger: Logger;
}

const dayMs = 86_400_000;
/** The limit of an input or output, as JSON text. */
const mostCharacters = 200_000;
/** The most sealed bytes of one read. A run may have thousands of calls, and the answer is in memory several times. */
const mostRead = 16 * 1024 * 1024;
const leftOut: RunContent = { input: { cut: true }, output: { cut: true } };

export const contentContext = (id: string): string => `run content ${id}`;

/** Cuts a long text and marks the cut. */
function bounded(value: Json): Json {
  const text = JSON.stringify(value);
  return text.length <= mostCharacters
    ? value
    : { cut: true, characters: text.length, beginning: text.slice(0, mostCharacters).toWellFormed() };
}

export function createRunContents({ database, dataDir, box, logger, watch }: RunContentsOptions): RunContents {
  const writer = createDurableWriter<RunContentTable>({
    name: 'run contents',
    database,
    folder: join(dataDir, 'spool', 'run-contents'),
    intervalMs: 100,
    logger,
    ...(watch === undefined ? {} : { watch }),
    rowsOf: (rows) => [{ table: 'llm_run_content', rows }],
    insert: (rows) => database.insertMany(rows),
    sizeOf: ({ content }) => content.length,
  });

  /** Null when the master key has changed. */
  const opened = ({ id, content }: RunContentTable): RunContent | null => {
    try {
      return JSON.parse(box.open({ $sealed: content }, contentContext(id))) as RunContent;
    } catch {
      return null;
    }
  };
  return {
    keep(id, days, { input, output }) {
      const text = JSON.stringify({ input: bounded(input), output: bounded(output) });
      writer.add({ id, content: box.seal(text, contentContext(id)).$sealed, expires_at: Date.now() + days * dayMs });
    },
    read: (ids) =>
      withStorageErrors(database, async () => {
        const { query } = database;
        const sizes = await inIdBatches(ids, (some) =>
          query
            .selectFrom('llm_run_content')
            .select(['id', sql<number>`length(content)`.as('size')])
            .where('id', 'in', some)
            .where('expires_at', '>', Date.now())
            .execute(),
        );
        const sizeOf = new Map(sizes.map(({ id, size }) => [id, Number(size)]));
        const found = new Map<string, RunContent>();
        const wanted: string[] = [];
        let read = 0;
        for (const id of ids) {
          const size = sizeOf.get(id);
          if (size === undefined) continue;
          // A single content is always within the limit.
          if (read + size > mostRead && read > 0) found.set(id, leftOut);
          else {
            read += size;
            wanted.push(id);
          }
        }
        const rows = await inIdBatches(wanted, (some) => query.selectFrom('llm_run_content').selectAll().where('id', 'in', some).execute());
        for (const row of rows) {
          const content = opened(row);
          if (content !== null) found.set(row.id, content);
        }
        return found;
      }),
    flush: () => writer.flush(),
    async [Symbol.asyncDispose]() {
      await writer[Symbol.asyncDispose]();
    },
  };
}
