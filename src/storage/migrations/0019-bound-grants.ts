/**
 * Binds grants on one thing to its row, and stores the tags under which an administrator approved a row. A grant is bound to the row that
 * has the name now. When a row of that name was deleted after the grant was written, the grant referred to that row and stays unbound.
 */
import { type Kysely, sql } from 'kysely';
import { personRef } from '../../types/person.ts';

const configTables = [
  'llm_provider_config',
  'llm_model_config',
  'llm_skill_config',
  'llm_mcp_config',
  'llm_grant',
  'llm_limit',
  'llm_key',
] as const;
const tableOf: Readonly<Record<string, string>> = {
  provider: 'llm_provider_config',
  model: 'llm_model_config',
  skill: 'llm_skill_config',
  mcp: 'llm_mcp_config',
};

interface Row {
  readonly id: string;
  readonly tenant: string;
  readonly name: string;
  readonly spec: string;
  readonly owner: string | null;
  readonly created_at: string;
  readonly created_by: string;
  readonly updated_at: string;
  readonly updated_by: string;
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

const rowsOf = async (database: Kysely<unknown>, table: string): Promise<readonly Row[]> =>
  (
    await sql<Row>`select id, tenant, name, spec, owner, created_at, created_by, updated_at, updated_by from ${sql.table(table)}`.execute(
      database,
    )
  ).rows;

/** The kind and the name in a grant; null for a pattern or a tag. */
function namedBy(capability: string): readonly [kind: string, name: string] | null {
  const [kind = '', ...rest] = capability.split('/');
  const name = kind === 'mcp' ? (rest[0] ?? '') : rest.join('/');
  const isPattern = name.startsWith('#') || (name.endsWith('*') && (kind !== 'mcp' || rest.length === 1));
  return kind in tableOf && !isPattern ? [kind, name] : null;
}

async function bindGrants(database: Kysely<unknown>): Promise<void> {
  const things = new Map<string, Row>();
  for (const [kind, table] of Object.entries(tableOf))
    for (const row of await rowsOf(database, table)) things.set(JSON.stringify([kind, row.tenant, row.name]), row);
  const deleted = await sql<{ kind: string; tenant: string; name: string; at: string }>`
    select kind, tenant, name, max(at) as at from llm_config_history where after is null group by kind, tenant, name`.execute(database);
  const deletedAt = new Map(deleted.rows.map(({ kind, tenant, name, at }) => [JSON.stringify([kind, tenant, name]), at]));
  for (const grant of await rowsOf(database, 'llm_grant')) {
    const named = namedBy(String(parsed(grant.spec)['capability']));
    if (named === null) continue;
    const key = JSON.stringify([named[0], grant.tenant, named[1]]);
    const thing = things.get(key);
    if (thing === undefined || (deletedAt.get(key) ?? '') > grant.updated_at) continue;
    await sql`update llm_grant set target = ${thing.id} where id = ${grant.id}`.execute(database);
  }
}

/** Approves rows without an owner and rows of administrators as they are. */
async function approve(database: Kysely<unknown>): Promise<void> {
  const people = await sql<{
    issuer: string;
    subject: string;
    tenant: string;
    roles: string;
  }>`select issuer, subject, tenant, roles from llm_person`.execute(database);
  const administrators = new Set(
    people.rows
      .filter(({ roles }) => (JSON.parse(roles) as string[]).includes('admin'))
      .map(({ issuer, subject, tenant }) => JSON.stringify([tenant, personRef({ issuer, subject })])),
  );
  for (const table of Object.values(tableOf)) {
    for (const row of await rowsOf(database, table)) {
      const isFrom = (person: string): boolean => administrators.has(JSON.stringify([row.tenant, person]));
      const isWhole = row.owner === null || isFrom(row.updated_by);
      if (!isWhole && !isFrom(row.created_by)) continue;
      const { tags } = parsed(row.spec);
      const approved = isWhole && Array.isArray(tags) ? tags : [];
      await sql`update ${sql.table(table)} set approved_tags = ${JSON.stringify(approved)} where id = ${row.id}`.execute(database);
    }
  }
}

export async function up(database: Kysely<unknown>): Promise<void> {
  for (const table of configTables) {
    await database.schema.alterTable(table).addColumn('target', 'text').execute();
    await database.schema.alterTable(table).addColumn('approved_tags', 'text').execute();
  }
  await database.schema.alterTable('llm_run').addColumn('on_behalf_of', 'text').execute();
  await bindGrants(database);
  await approve(database);
}
