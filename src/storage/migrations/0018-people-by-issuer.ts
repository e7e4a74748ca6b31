/**
 * A person is an issuer and a subject. Rows with a subject alone get exactly one issuer: the one of the person's tokens, else the home
 * issuer (the first configured one). Without a home issuer, subjects without a known issuer stay unchanged and belong to no person.
 */
import { type Kysely, sql } from 'kysely';
import { personRef, systemActor } from '../../types/person.ts';
import type { Schema } from '../schema.ts';
import { isPostgres, usageDays, usageSums } from './usage-days.ts';

type Assign = (tenant: string, subject: string) => string;

const configTables = [
  'llm_provider_config',
  'llm_model_config',
  'llm_skill_config',
  'llm_mcp_config',
  'llm_grant',
  'llm_limit',
  'llm_key',
] as const;
const historyAtOnce = 200;

/** The issuer of a subject; empty when unknown. */
async function issuersByPeople(query: Kysely<Schema>, home: string | null): Promise<Assign> {
  const seen = new Map<string, string[]>();
  const people = await query.selectFrom('llm_person').select(['tenant', 'subject', 'issuer']).orderBy('seen_at', 'desc').execute();
  for (const { tenant, subject, issuer } of people) {
    const key = JSON.stringify([tenant, subject]);
    const issuers = seen.get(key);
    if (issuers === undefined) seen.set(key, [issuer]);
    else issuers.push(issuer);
  }
  return (tenant, subject) => {
    const issuers = seen.get(JSON.stringify([tenant, subject])) ?? [];
    if (issuers.length === 0 || (home !== null && issuers.includes(home))) return home ?? '';
    return issuers[0] ?? '';
  };
}

interface Named {
  readonly tenant: string;
  readonly owner: string | null;
  readonly createdBy: string;
  readonly updatedBy: string;
  readonly spec: Readonly<Record<string, unknown>>;
}

function named<Row extends Named>(kind: string, row: Row, assign: Assign): Row {
  const person = (subject: string): string =>
    subject === '' || subject === systemActor ? subject : personRef({ issuer: assign(row.tenant, subject), subject });
  const { spec } = row;
  const ofKey = kind === 'key' && typeof spec['issuer'] === 'string' && typeof spec['subject'] === 'string';
  const isUser = (kind === 'grant' || kind === 'limit') && spec['subject_type'] === 'user' && typeof spec['subject'] === 'string';
  const owner = ofKey ? personRef({ issuer: String(spec['issuer']), subject: String(spec['subject']) }) : row.owner;
  return {
    ...row,
    owner: owner === null || ofKey ? owner : person(owner),
    createdBy: person(row.createdBy),
    updatedBy: person(row.updatedBy),
    spec: isUser && spec['subject'] !== '*' ? { ...spec, subject: person(String(spec['subject'])) } : spec,
  };
}

function parsed(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

async function nameRows(query: Kysely<Schema>, assign: Assign): Promise<void> {
  for (const table of configTables) {
    const kind = table === 'llm_key' || table === 'llm_grant' || table === 'llm_limit' ? table.slice('llm_'.length) : '';
    for (const row of await query.selectFrom(table).selectAll().execute()) {
      // A spec that is not valid JSON stays unchanged.
      const spec = parsed(row.spec);
      const before = { tenant: row.tenant, owner: row.owner, createdBy: row.created_by, updatedBy: row.updated_by, spec: spec ?? {} };
      const after = named(kind, before, assign);
      await query
        .updateTable(table)
        .set({
          owner: after.owner,
          created_by: after.createdBy,
          updated_by: after.updatedBy,
          spec: spec === null ? row.spec : JSON.stringify(after.spec),
        })
        .where('id', '=', row.id)
        .execute();
    }
  }
}

/** A roll-back writes rows as they are in the history. */
async function nameHistory(query: Kysely<Schema>, assign: Assign): Promise<void> {
  const text = (kind: string, row: string | null): string | null => {
    const value = row === null ? null : parsed(row);
    return value === null ? row : JSON.stringify(named(kind, value as unknown as Named, assign));
  };
  let last: { revision: number; sequence: number } | null = null;
  for (;;) {
    let select = query.selectFrom('llm_config_history').selectAll();
    if (last !== null) {
      const { revision, sequence } = last;
      select = select.where((is) =>
        is.or([is('revision', '>', revision), is.and([is('revision', '=', revision), is('sequence', '>', sequence)])]),
      );
    }
    const rows = await select.orderBy('revision').orderBy('sequence').limit(historyAtOnce).execute();
    for (const { revision, sequence, kind, tenant, before, after, actor } of rows) {
      await query
        .updateTable('llm_config_history')
        .set({
          before: text(kind, before),
          after: text(kind, after),
          actor: actor === systemActor ? actor : personRef({ issuer: assign(tenant, actor), subject: actor }),
        })
        .where('revision', '=', revision)
        .where('sequence', '=', sequence)
        .execute();
    }
    const end = rows.at(-1);
    if (end === undefined) return;
    last = { revision: Number(end.revision), sequence: end.sequence };
  }
}

async function nameRuns(query: Kysely<Schema>, assign: Assign): Promise<void> {
  const pairs = await query.selectFrom('llm_run').select(['tenant', 'subject']).where('issuer', 'is', null).distinct().execute();
  for (const { tenant, subject } of pairs) {
    await query
      .updateTable('llm_run')
      .set({ issuer: subject === systemActor ? '' : assign(tenant, subject) })
      .where('tenant', '=', tenant)
      .where('subject', '=', subject)
      .where('issuer', 'is', null)
      .execute();
  }
}

async function nameUsage(query: Kysely<Schema>, assign: Assign): Promise<void> {
  const database = query as unknown as Kysely<unknown>;
  const keys = ['tenant', 'day', 'issuer', 'subject', 'client', 'key_id', 'capability', 'deployment', 'via', 'currency'];
  const days = usageDays(keys);
  await (isPostgres(database) ? sql`drop trigger llm_run_used on llm_run` : sql`drop trigger llm_run_used`).execute(database);
  await database.schema.alterTable('llm_usage_day').renameTo('llm_usage_day_before').execute();
  await days.createTable(database, 'llm_usage_day_person');
  const kept = [...keys, ...usageSums].map((column) => (column === 'issuer' ? sql.lit('') : sql.ref(column)));
  await sql`insert into llm_usage_day (${days.columns}) select ${sql.join(kept)} from llm_usage_day_before`.execute(database);
  await database.schema.dropTable('llm_usage_day_before').execute();
  for (const { tenant, subject } of await query.selectFrom('llm_usage_day').select(['tenant', 'subject']).distinct().execute()) {
    const issuer = subject === systemActor ? '' : assign(tenant, subject);
    if (issuer === '') continue;
    await query
      .updateTable('llm_usage_day')
      .set({ issuer })
      .where('tenant', '=', tenant)
      .where('subject', '=', subject)
      .where('issuer', '=', '')
      .execute();
  }
  await days.createTrigger(database);
}

export function peopleByIssuer(home: string | null) {
  return {
    async up(database: Kysely<unknown>): Promise<void> {
      const query = database as Kysely<Schema>;
      const assign = await issuersByPeople(query, home);
      await nameRows(query, assign);
      await nameHistory(query, assign);
      await nameRuns(query, assign);
      await nameUsage(query, assign);
    },
  };
}
