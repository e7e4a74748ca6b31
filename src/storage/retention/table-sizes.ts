/** The size of the database, for metrics. */
import { sql } from 'kysely';
import type { Database } from '../database.ts';
import { usedBytes } from './old-runs.ts';

/** Bytes by table with its partitions and indexes on PostgreSQL; `used` and `free` of the file on SQLite. Rejects with the driver's error. */
export async function tableSizes(database: Database): Promise<ReadonlyMap<string, number>> {
  if (database.kind === 'sqlite') {
    const { used, free } = await usedBytes(database);
    return new Map([
      ['used', used],
      ['free', free],
    ]);
  }
  const { rows } = await sql<{ name: string; bytes: string | number }>`select coalesce(pg_partition_root(oid), oid)::regclass::text as name,
    sum(pg_total_relation_size(oid)) as bytes from pg_class
    where relname like 'llm\\_%' and relkind in ('r', 'p') and pg_table_is_visible(oid) group by 1 order by 1`.execute(database.query);
  return new Map(rows.map(({ name, bytes }) => [name, Number(bytes)]));
}
