/** The rows of one statement in parts. It runs once, however many parts there are, and neither side keeps all of them in memory. */
import { type RawBuilder, sql } from 'kysely';
import type { Database } from './database.ts';

let tables = 0;

/** No empty part. On PostgreSQL a transaction lasts until the last one is taken, so take them at once. Rejects with the driver's error. */
export function rowsInParts<R>(database: Database, statement: RawBuilder<R>, rowsAtOnce: number): AsyncGenerator<readonly R[]> {
  return database.kind === 'postgres' ? byCursor(database, statement, rowsAtOnce) : byTable(database, statement, rowsAtOnce);
}

async function* byCursor<R>({ query }: Database, statement: RawBuilder<R>, rowsAtOnce: number): AsyncGenerator<readonly R[]> {
  const transaction = await query.startTransaction().setAccessMode('read only').execute();
  try {
    await sql`declare parts no scroll cursor for ${statement}`.execute(transaction);
    for (;;) {
      const { rows } = await sql<R>`fetch ${sql.lit(rowsAtOnce)} from parts`.execute(transaction);
      if (rows.length > 0) yield rows;
      if (rows.length < rowsAtOnce) return;
    }
  } finally {
    // A connection that is lost has no transaction, and its loss was reported by the statement.
    await transaction
      .rollback()
      .execute()
      .catch(() => {});
  }
}

/** SQLite has one connection for all. A statement that stays open on it would see rows of transactions that are not committed. */
async function* byTable<R>({ query }: Database, statement: RawBuilder<R>, rowsAtOnce: number): AsyncGenerator<readonly R[]> {
  const table = sql.table(`temp.rows_in_parts_${++tables}`);
  await sql`create temp table ${table} as ${statement}`.execute(query);
  try {
    for (let last = 0; ;) {
      const { rows } = await sql<R>`select * from ${table} where rowid > ${last} order by rowid limit ${rowsAtOnce}`.execute(query);
      if (rows.length > 0) yield rows;
      if (rows.length < rowsAtOnce) return;
      // A new table numbers its rows from one on.
      last += rows.length;
    }
  } finally {
    // It ends with its thread, too.
    await sql`drop table ${table}`.execute(query).catch(() => {});
  }
}
