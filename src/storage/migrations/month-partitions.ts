/** PostgreSQL keeps runs and attempts in one partition for each month (UTC) of their start, so that old months are dropped instead of deleted. */
import { type Kysely, type RawBuilder, sql } from 'kysely';

/** The tables with partitions, and the key by which a repeated write is recognised. */
export const partitionedTables = { llm_run: ['id'], llm_attempt: ['run_id', 'number'], llm_run_fact: ['id'] } as const;
export type PartitionedTable = keyof typeof partitionedTables;

/** The suffix of the partition with everything before the migration. Its rows are deleted in steps. */
export const firstPartition = 'before';
/** The suffix of the partition for times that no other partition has, such as those of a wrong clock. */
export const restPartition = 'rest';

/** 00:00 UTC of the first day of the month that is `months` after that of `moment`. */
export function monthStart(moment: number, months = 0): number {
  const date = new Date(moment);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months);
}

export function monthSuffix(start: number): string {
  return new Date(start).toISOString().slice(0, 7).replace('-', '_');
}

const named = (table: string, suffix: string): RawBuilder<unknown> => sql.table(`${table}_${suffix}`);

async function addKey(database: Kysely<unknown>, table: PartitionedTable, suffix: string): Promise<void> {
  const key = sql.join(partitionedTables[table].map((column) => sql.ref(column)));
  await sql`alter table ${named(table, suffix)} add primary key (${key})`.execute(database);
}

/**
 * Adds the partition of a month. Rows of that month in the partition of the rest move there, which fires no trigger: they are in the sums
 * already. Run it in a transaction.
 */
export async function addMonth(database: Kysely<unknown>, table: PartitionedTable, start: number): Promise<void> {
  const suffix = monthSuffix(start);
  const [from, to] = [sql.lit(start), sql.lit(monthStart(start, 1))];
  await sql`create table ${named(table, suffix)} (like ${sql.table(table)} including defaults)`.execute(database);
  await sql`with moved as (delete from ${named(table, restPartition)} where started_at >= ${from} and started_at < ${to} returning *)
    insert into ${named(table, suffix)} select * from moved`.execute(database);
  await addKey(database, table, suffix);
  await sql`alter table ${sql.table(table)} attach partition ${named(table, suffix)} for values from (${from}) to (${to})`.execute(
    database,
  );
}

interface Definition {
  readonly name: string;
  readonly definition: string;
}

/** Makes a table partitioned. Its rows stay where they are and become the first partition, up to the end of the current month. */
export async function partitionByMonth(database: Kysely<unknown>, table: PartitionedTable, now: number): Promise<void> {
  const before = `${table}_${firstPartition}`;
  const { rows: triggers } = await sql<Definition>`select tgname as name, pg_get_triggerdef(oid) as definition from pg_trigger
    where tgrelid = ${table}::regclass and not tgisinternal`.execute(database);
  for (const { name } of triggers) await sql`drop trigger ${sql.ref(name)} on ${sql.table(table)}`.execute(database);
  await sql`alter table ${sql.table(table)} rename to ${sql.ref(before)}`.execute(database);
  const { rows: indexes } = await sql<Definition>`select indexes.relname as name, pg_get_indexdef(indexes.oid) as definition
    from pg_index join pg_class indexes on indexes.oid = indexrelid where indrelid = ${before}::regclass and not indisprimary`.execute(
    database,
  );
  for (const { name } of indexes)
    await sql`alter index ${sql.ref(name)} rename to ${sql.ref(`${name}_${firstPartition}`)}`.execute(database);
  await sql`create table ${sql.table(table)} (like ${sql.table(before)} including defaults) partition by range (started_at)`.execute(
    database,
  );
  const { rows } = await sql<{ latest: string | number | null }>`select max(started_at) as latest from ${sql.table(before)}`.execute(
    database,
  );
  const end = monthStart(Math.max(now, Number(rows[0]?.latest ?? 0)), 1);
  await sql`alter table ${sql.table(table)} attach partition ${sql.table(before)} for values from (minvalue) to (${sql.lit(end)})`.execute(
    database,
  );
  await sql`create table ${named(table, restPartition)} partition of ${sql.table(table)} default`.execute(database);
  await addKey(database, table, restPartition);
  // PostgreSQL takes over the equal index of a partition instead of making another one.
  const on = new RegExp(` ON (ONLY )?\\S*${before} `);
  for (const { definition } of indexes) await sql.raw(definition.replace(on, ` ON ${table} `)).execute(database);
  for (const { definition } of triggers)
    await sql.raw(definition.replace(new RegExp(` ON \\S*${before} | ON \\S*${table} `), ` ON ${table} `)).execute(database);
  for (const months of [0, 1]) await addMonth(database, table, monthStart(end, months));
}
