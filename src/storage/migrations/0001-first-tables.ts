/** Creates the tables of configuration, history, ledger and audit. */
import { type Kysely, sql } from 'kysely';

const configTables = ['llm_provider_config', 'llm_model_config', 'llm_skill_config', 'llm_mcp_config', 'llm_grant'] as const;

export async function up(database: Kysely<unknown>): Promise<void> {
  for (const table of configTables) {
    await database.schema
      .createTable(table)
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('tenant', 'text', (column) => column.notNull())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('spec', 'text', (column) => column.notNull())
      .addColumn('enabled', 'integer', (column) => column.notNull())
      .addColumn('owner', 'text')
      .addColumn('revision', 'bigint', (column) => column.notNull())
      .addColumn('created_at', 'text', (column) => column.notNull())
      .addColumn('created_by', 'text', (column) => column.notNull())
      .addColumn('updated_at', 'text', (column) => column.notNull())
      .addColumn('updated_by', 'text', (column) => column.notNull())
      .addUniqueConstraint(`${table}_name`, ['tenant', 'name'])
      .execute();
  }
  await database.schema
    .createTable('llm_config_revision')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('revision', 'bigint', (column) => column.notNull())
    .execute();
  await sql`insert into llm_config_revision (id, revision) values (1, 0)`.execute(database);
  await database.schema
    .createTable('llm_config_history')
    .addColumn('revision', 'bigint', (column) => column.notNull())
    .addColumn('sequence', 'integer', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('tenant', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('before', 'text')
    .addColumn('after', 'text')
    .addColumn('at', 'text', (column) => column.notNull())
    .addColumn('actor', 'text', (column) => column.notNull())
    .addColumn('summary', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('llm_config_history_key', ['revision', 'sequence'])
    .execute();
  await createLedger(database);
  await database.schema
    .createTable('llm_audit')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('at', 'text', (column) => column.notNull())
    .addColumn('tenant', 'text', (column) => column.notNull())
    .addColumn('actor', 'text', (column) => column.notNull())
    .addColumn('act', 'text', (column) => column.notNull())
    .addColumn('target', 'text', (column) => column.notNull())
    .addColumn('before', 'text')
    .addColumn('after', 'text')
    .addColumn('detail', 'text')
    .addColumn('request_id', 'text', (column) => column.notNull())
    .execute();
  await database.schema.createIndex('llm_audit_page').on('llm_audit').columns(['tenant', 'id']).execute();
}

async function createLedger(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable('llm_run')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('parent', 'text')
    .addColumn('root', 'text', (column) => column.notNull())
    .addColumn('request_id', 'text', (column) => column.notNull())
    .addColumn('tenant', 'text', (column) => column.notNull())
    .addColumn('subject', 'text', (column) => column.notNull())
    .addColumn('username', 'text', (column) => column.notNull())
    .addColumn('client', 'text')
    .addColumn('roles', 'text', (column) => column.notNull())
    .addColumn('capability', 'text', (column) => column.notNull())
    .addColumn('operation', 'text', (column) => column.notNull())
    .addColumn('streamed', 'integer', (column) => column.notNull())
    .addColumn('revision', 'bigint', (column) => column.notNull())
    .addColumn('started_at', 'bigint', (column) => column.notNull())
    .addColumn('first_token_at', 'bigint')
    .addColumn('ended_at', 'bigint', (column) => column.notNull())
    .addColumn('outcome', 'text', (column) => column.notNull())
    .addColumn('error', 'text')
    .addColumn('deployment', 'text')
    .addColumn('input_tokens', 'bigint')
    .addColumn('output_tokens', 'bigint')
    .addColumn('cached_input_tokens', 'bigint')
    .addColumn('reasoning_tokens', 'bigint')
    .addColumn('usage_estimated', 'integer', (column) => column.notNull())
    .addColumn('cost', 'bigint')
    .addColumn('currency', 'text')
    .execute();
  await database.schema.createIndex('llm_run_page').on('llm_run').columns(['tenant', 'started_at', 'id']).execute();
  await database.schema.createIndex('llm_run_subject').on('llm_run').columns(['tenant', 'subject', 'started_at', 'id']).execute();
  await database.schema.createIndex('llm_run_root').on('llm_run').column('root').execute();
  await database.schema
    .createTable('llm_attempt')
    .addColumn('run_id', 'text', (column) => column.notNull())
    .addColumn('number', 'integer', (column) => column.notNull())
    .addColumn('deployment', 'text', (column) => column.notNull())
    .addColumn('provider', 'text', (column) => column.notNull())
    .addColumn('upstream_model', 'text', (column) => column.notNull())
    .addColumn('started_at', 'bigint', (column) => column.notNull())
    .addColumn('first_token_at', 'bigint')
    .addColumn('ended_at', 'bigint', (column) => column.notNull())
    .addColumn('outcome', 'text', (column) => column.notNull())
    .addColumn('status', 'integer')
    .addColumn('error', 'text')
    .addColumn('detail', 'text')
    .addPrimaryKeyConstraint('llm_attempt_key', ['run_id', 'number'])
    .execute();
}
