/** The migration that binds grants to rows, on older data, on both databases. */
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import * as firstTables from '../../src/storage/migrations/0001-first-tables.ts';
import * as limits from '../../src/storage/migrations/0005-limits.ts';
import * as keys from '../../src/storage/migrations/0006-keys.ts';
import * as people from '../../src/storage/migrations/0012-people-of-tenants.ts';
import * as boundGrants from '../../src/storage/migrations/0019-bound-grants.ts';
import * as basisOfRows from '../../src/storage/migrations/0024-basis-of-rows.ts';
import * as serviceAccounts from '../../src/storage/migrations/0063-configured-service-accounts.ts';
import * as teams from '../../src/storage/migrations/0064-teams.ts';
import { createConfigStore } from '../../src/storage/config-store.ts';
import type { Database } from '../../src/storage/database.ts';
import { databaseKinds } from './databases.ts';

const early = '2026-01-01T00:00:00.000Z';
const late = '2026-06-01T00:00:00.000Z';

async function insert(
  { query }: Database,
  table: string,
  row: { name: string; spec: object; owner?: string | null; by?: string; at?: string; updatedBy?: string },
): Promise<void> {
  const { name, spec, owner = null, by = 'https://i#boss', at = early, updatedBy = by } = row;
  await sql`insert into ${sql.table(table)} (id, tenant, name, spec, enabled, owner, revision, created_at, created_by, updated_at, updated_by)
    values (${`${table} ${name}`}, 'acme', ${name}, ${JSON.stringify(spec)}, 1, ${owner}, 1, ${at}, ${by}, ${at}, ${updatedBy})`.execute(
    query,
  );
}

describe.each(databaseKinds)('on $name', (databaseKind) => {
  it.skipIf(databaseKind.missing)('binds each grant to its row, and approves rows that administrators wrote', async () => {
    await using place = await databaseKind.create();
    const database = await place.open();
    const query = database.query as never;
    for (const migration of [firstTables, limits, keys, people]) await migration.up(query);
    await sql`insert into llm_person (issuer, subject, tenant, username, roles, permissions, seen_at) values
      ('https://i', 'boss', 'acme', 'Boss', '["admin"]', '', 1), ('https://i', 'dev', 'acme', 'Dev', '["developer"]', '', 1)`.execute(
      database.query,
    );
    await insert(database, 'llm_model_config', { name: 'kept', spec: { tags: ['cheap'] } });
    await insert(database, 'llm_model_config', {
      name: 'taken',
      spec: { tags: ['cheap'] },
      owner: 'https://i#dev',
      by: 'https://i#dev',
      at: late,
    });
    await insert(database, 'llm_model_config', {
      name: 'given',
      spec: { tags: ['cheap'] },
      owner: 'https://i#dev',
      updatedBy: 'https://i#dev',
    });
    await insert(database, 'llm_mcp_config', { name: 'files', spec: {} });
    // The first row named `taken` was deleted after a grant on it was given.
    await sql`insert into llm_config_history (revision, sequence, kind, tenant, name, before, after, at, actor, summary)
      values (5, 0, 'model', 'acme', 'taken', '{}', null, ${late}, 'boss', 'delete model taken')`.execute(database.query);
    for (const capability of [
      'model/kept',
      'model/taken',
      'model/none',
      'model/te*',
      'model/#cheap',
      'mcp/files/read',
      'mcp/files/*',
      'mcp/*',
    ])
      await insert(database, 'llm_grant', { name: capability, spec: { subject_type: 'user', subject: 'u', capability, action: 'use' } });
    await boundGrants.up(query);
    await basisOfRows.up(query);
    // The store reads the tables of all kinds.
    await serviceAccounts.up(query);
    await teams.up(query);
    const { rows } = await createConfigStore(database).load();
    const grants = Object.fromEntries(rows.filter(({ kind }) => kind === 'grant').map(({ name, target }) => [name, target]));
    expect(grants).toEqual({
      'model/kept': 'llm_model_config kept',
      'model/taken': undefined,
      'model/none': undefined,
      'model/te*': undefined,
      'model/#cheap': undefined,
      'mcp/files/read': 'llm_mcp_config files',
      'mcp/files/*': 'llm_mcp_config files',
      'mcp/*': undefined,
    });
    const approved = Object.fromEntries(rows.filter(({ kind }) => kind === 'model').map(({ name, approvedTags }) => [name, approvedTags]));
    expect(approved).toEqual({ kept: ['cheap'], taken: undefined, given: [] });
  });
});
