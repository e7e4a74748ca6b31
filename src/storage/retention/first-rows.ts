/** Deletes the rows of ranges in the order of an index, a few in each step. */
import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../database.ts';
import { BatchSize } from './batch-size.ts';
import { onOneNode } from './single-node.ts';
import { walk } from './walk.ts';

/** Rows in one step: the values of more would hold the event loop. */
const mostRows = 200;

export interface Rows {
  readonly table: string;
  /** Names a row on SQLite. PostgreSQL names it by its place. */
  readonly key: readonly string[];
  /** The column by which an index orders the rows. */
  readonly by: string;
  /** Orders rows of one place. */
  readonly within?: string;
  readonly where: RawBuilder<unknown>;
  /** `to` is exclusive. */
  readonly from: number;
  readonly to: number;
}

/** A step, as in `PruneTask`. */
export function firstRows(database: Database, ranges: () => AsyncIterable<Rows>): () => Promise<boolean> {
  const batch = new BatchSize(mostRows);
  return walk(ranges, ({ table, key, by, within, where, from, to }, position) =>
    batch.measure(() =>
      onOneNode(database, async (transaction) => {
        const [source, place] = [sql.table(table), sql.ref(by)];
        const first = sql`from ${source} where ${where} and ${place} >= ${position ?? from} and ${place} < ${to}
          order by ${within === undefined ? place : sql`${place}, ${sql.ref(within)}`} limit ${batch.size}`;
        const columns = sql.join(key.map((column) => sql.ref(column)));
        const isFirst =
          database.kind === 'postgres' ? sql`ctid = any (array (select ctid ${first}))` : sql`(${columns}) in (select ${columns} ${first})`;
        const { rows } = await sql<{ place: number }>`delete from ${source} where ${isFirst} returning ${place} as place`.execute(
          transaction,
        );
        return rows.length === 0 ? undefined : Math.max(...rows.map((row) => Number(row.place)));
      }),
    ),
  );
}
