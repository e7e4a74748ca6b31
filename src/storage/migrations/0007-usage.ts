/**
 * Daily sums, updated by a database trigger for each inserted run. Exact, because a repeated run is inserted once, and fast to report,
 * because there are few rows a day. Old runs can be deleted without their sums.
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
