/** Databases on the test PostgreSQL server. A used one is emptied and used again: a new one costs the server half a second of CPU. */
import { randomBytes } from 'node:crypto';
import { basename } from 'node:path';
import pg from 'pg';

export const postgresUrl = process.env['PAILOU_TEST_POSTGRES_URL'];

/** The address of a database on the test server. */
export function urlOnServer(name: string): string {
  const url = new URL(postgresUrl ?? '');
  url.pathname = `/${name}`;
  return url.href;
}

export async function onServer<T>(work: (client: pg.Client) => Promise<T>, url = postgresUrl): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The first part of the names of a run's databases, from the folder of the run. */
const prefixOf = (folder: string): string => basename(folder).replaceAll('-', '_').toLowerCase();

export const createDatabase = async (name = `pailou_${randomBytes(6).toString('hex')}`, template = 'template1'): Promise<string> => {
  await onServer((client) => client.query(`create database ${name} template ${template}`));
  return name;
};
export const dropDatabase = (name: string): Promise<unknown> => onServer((client) => client.query(`drop database ${name} with (force)`));

/** Drops the databases of a run. */
export async function dropDatabasesOf(folder: string): Promise<void> {
  const { rows } = await onServer((client) =>
    client.query<{ datname: string }>('select datname from pg_database where starts_with(datname, $1)', [prefixOf(folder)]),
  );
  for (const { datname } of rows) await dropDatabase(datname);
}

/** Returns the template of a run. The first worker makes it by `migrateAt`; the others wait. */
const makeTemplate = (folder: string, migrateAt: (url: string) => Promise<void>): Promise<string> =>
  onServer(async (client) => {
    const name = `${prefixOf(folder)}_template`;
    // The lock ends with the connection.
    await client.query('select pg_advisory_lock(hashtext($1))', [name]);
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (rowCount !== 0) return name;
    const draft = await createDatabase(`${prefixOf(folder)}_draft`);
    await migrateAt(urlOnServer(draft));
    await client.query(`alter database ${draft} rename to ${name}`);
    return name;
  });

/** Everything in a database but the rows of its tables. */
const shape = `
  select md5(string_agg(line, chr(10) order by line)) as shape from (
    select concat_ws(' ', 'column', table_name, ordinal_position, column_name, data_type, is_nullable, column_default) as line
      from information_schema.columns where table_schema not in ('pg_catalog', 'information_schema')
    union all select indexdef from pg_indexes where schemaname not in ('pg_catalog', 'information_schema')
    union all select concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid)) from pg_constraint where connamespace = 'public'::regnamespace
    union all select pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
    union all select pg_get_functiondef(oid) from pg_proc where pronamespace = 'public'::regnamespace
    union all select concat_ws(' ', oid::regclass, relkind, relpersistence, relacl, reloptions, relrowsecurity, relowner) from pg_class
      where relnamespace = 'public'::regnamespace
    union all select concat_ws(' ', inhparent::regclass, inhrelid::regclass) from pg_inherits
    union all select concat_ws(' ', nspname, nspacl) from pg_namespace where nspname not like 'pg\\_t%'
    union all select concat_ws(' ', datconnlimit, datacl, setconfig) from pg_database left join pg_db_role_setting on setdatabase = pg_database.oid
      where datname = current_database()
  ) as lines`;

const tablesOf = `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') order by 1`;

interface Pristine {
  readonly shape: string;
  readonly tables: readonly string[];
  /** The rows that migrations write, as JSON, by table. */
  readonly rows: ReadonlyMap<string, string>;
}

const shapeOf = async (client: pg.Client): Promise<string> => (await client.query<{ shape: string }>(shape)).rows[0]?.shape ?? '';
const namesIn = async (client: pg.Client): Promise<string[]> =>
  (await client.query<{ name: string }>(tablesOf)).rows.map(({ name }) => name);

async function look(client: pg.Client): Promise<Pristine> {
  const tables = await namesIn(client);
  const rows = new Map<string, string>();
  for (const table of tables) {
    const { rows: found } = await client.query<{ all: string | null }>(`select json_agg(t)::text as all from ${table} as t`);
    const all = found[0]?.all ?? null;
    if (all !== null) rows.set(table, all);
  }
  return { shape: await shapeOf(client), tables, rows };
}

/** Empties a database. Returns false when something else than rows has changed. */
async function empty(client: pg.Client, name: string, pristine: Pristine): Promise<boolean> {
  const others = `from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()`;
  for (;;) {
    const { rowCount } = await client.query(`select pg_terminate_backend(pid) ${others}`, [name]);
    if (rowCount === 0) break;
  }
  // Months that a test has added.
  for (const table of await namesIn(client))
    if (!pristine.tables.includes(table)) await client.query(`drop table if exists ${table} cascade`);
  if ((await shapeOf(client)) !== pristine.shape) return false;
  await client.query(`do $$
    declare used text := ''; each text; has boolean;
    begin
      for each in ${tablesOf} loop
        execute format('select exists (select 1 from %I)', each) into has;
        if has then used := used || ',' || quote_ident(each); end if;
      end loop;
      if used <> '' then execute 'truncate ' || substr(used, 2); end if;
      for each in select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'S' loop
        execute format('alter sequence %I restart', each);
      end loop;
    end $$`);
  for (const [table, rows] of pristine.rows)
    await client.query(`insert into ${table} overriding system value select * from json_populate_recordset(null::${table}, $1)`, [rows]);
  return true;
}

const free: string[] = [];
let template: Promise<string> | null = null;
let pristine: Promise<Pristine> | null = null;

/** A database with all tables and no rows but those of the migrations. */
export async function takeDatabase(folder: string, migrateAt: (url: string) => Promise<void>): Promise<string> {
  const source = await (template ??= makeTemplate(folder, migrateAt));
  const name = free.pop() ?? (await createDatabase(`${prefixOf(folder)}_${randomBytes(6).toString('hex')}`, source));
  await (pristine ??= onServer(look, urlOnServer(name)));
  return name;
}

/** Takes a database back, which the caller has closed. */
export async function returnDatabase(name: string): Promise<void> {
  const known = await pristine;
  const isClean = await onServer(
    (client) => (known === null ? Promise.resolve(false) : empty(client, name, known)),
    urlOnServer(name),
  ).catch(() => false);
  if (isClean) free.push(name);
  else await dropDatabase(name);
}
