/**
 * The right by which each row reaches what it references. Rows last written by an administrator keep everything that they reached. Other
 * rows are decided again, so that a provider of the company is left out until an administrator saves the row.
 */
import type { Kysely } from 'kysely';
import { personRef, systemActor } from '../../types/person.ts';

const tables = [
  'llm_provider_config',
  'llm_model_config',
  'llm_skill_config',
  'llm_mcp_config',
  'llm_grant',
  'llm_limit',
  'llm_key',
] as const;

interface Row {
  readonly id: string;
  readonly tenant: string;
  readonly spec: string;
  readonly owner: string | null;
  readonly updated_by: string;
  readonly basis: string | null;
}
interface Tables extends Record<(typeof tables)[number], Row> {
  readonly llm_person: { readonly issuer: string; readonly subject: string; readonly tenant: string; readonly roles: string };
}

const everything = JSON.stringify({ '*': 'administrator' });

/** Kinds that only administrators could ever write. */
function isAlwaysOfAdministrators(spec: string): boolean {
  try {
    const { kind } = JSON.parse(spec) as { readonly kind?: unknown };
    return kind === 'stdio' || kind === 'virtual';
  } catch {
    return false;
  }
}

export async function up(database: Kysely<Tables>): Promise<void> {
  for (const table of tables) await database.schema.alterTable(table).addColumn('basis', 'text').execute();
  const people = await database.selectFrom('llm_person').select(['tenant', 'issuer', 'subject', 'roles']).execute();
  const administrators = new Set(
    people
      .filter(({ roles }) => (JSON.parse(roles) as string[]).includes('admin'))
      .map((person) => JSON.stringify([person.tenant, personRef(person)])),
  );
  for (const table of ['llm_provider_config', 'llm_model_config', 'llm_skill_config', 'llm_mcp_config'] as const) {
    const rows = await database.selectFrom(table).select(['id', 'tenant', 'spec', 'owner', 'updated_by']).execute();
    for (const { id, tenant, spec, owner, updated_by: writer } of rows) {
      const trusted =
        owner === null || writer === systemActor || isAlwaysOfAdministrators(spec) || administrators.has(JSON.stringify([tenant, writer]));
      await database
        .updateTable(table)
        .set({ basis: trusted ? everything : '{}' })
        .where('id', '=', id)
        .execute();
    }
  }
}
