/** Labels of rows, such as the file that owns a row. */
import type { Kysely } from 'kysely';

const tables = [
  'llm_provider_config',
  'llm_model_config',
  'llm_skill_config',
  'llm_mcp_config',
  'llm_grant',
  'llm_limit',
  'llm_key',
] as const;

export async function up(database: Kysely<unknown>): Promise<void> {
  for (const table of tables) await database.schema.alterTable(table).addColumn('labels', 'text').execute();
}
