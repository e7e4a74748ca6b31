/** The definitions of each MCP server, as approved and as last seen. */
import type { Kysely } from 'kysely';

export async function up(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable('llm_mcp_catalogue')
    .addColumn('server', 'text', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('tenant', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('present', 'integer', (column) => column.notNull())
    .addColumn('definition', 'text')
    .addColumn('digest', 'text', (column) => column.notNull())
    .addColumn('seen_definition', 'text')
    .addColumn('seen_digest', 'text')
    .addColumn('changed_at', 'bigint', (column) => column.notNull())
    .addColumn('decided_by', 'text')
    .addPrimaryKeyConstraint('llm_mcp_catalogue_key', ['server', 'kind', 'name'])
    .execute();
  await database.schema.createIndex('llm_mcp_catalogue_changed').on('llm_mcp_catalogue').column('changed_at').execute();
}
