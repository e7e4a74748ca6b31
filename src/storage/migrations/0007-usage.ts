/**
 * What was used each day, kept up by the database itself with each run that it takes: exact, because a run that comes twice is inserted once,
 * and quick to report, because there are few rows a day. Old runs can go without their sums.
 */
import type { Kysely } from 'kysely';
import { usageDays } from './usage-days.ts';

export async function up(database: Kysely<unknown>): Promise<void> {
  const days = usageDays(['tenant', 'day', 'subject', 'client', 'key_id', 'capability', 'deployment', 'via', 'currency']);
  await database.schema.alterTable('llm_run').addColumn('via', 'text').execute();
  await days.createTable(database, 'llm_usage_day_key');
  await days.fill(database);
  await days.createTrigger(database);
}
