/** PostgreSQL: a pool for statements, and one connection that listens for notifications. */
import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { GatewayError } from '../types/errors.ts';
import type { Logger } from '../types/logger.ts';
import type { Database } from './database.ts';
import { patientName } from './migration-waits.ts';
import { channels, createPostgresListener } from './postgres-listener.ts';
import { statementsByCallback } from './postgres-statements.ts';
import { rowsJson } from './row-json.ts';
import type { Schema } from './schema.ts';

/** Epoch milliseconds, token counts and money fit a double. Other values are passed on for the reader to check. */
const parseBigint = (text: string): number | bigint => {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
};
const bigintType = 20;
const closePatienceMs = 2_000;
/** Longer than the server's own limit of a statement. */
const patienceMs = 35_000;

/** SQLSTATE classes and socket errors as sentences. */
function reasonOf(error: { code?: string; message?: string }): string {
  switch (error.code) {
    case 'ECONNREFUSED':
    case 'ENOTFOUND':
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ECONNRESET':
    case 'EPIPE':
      return 'it cannot be reached';
    case '28P01':
    case '28000':
      return 'it refuses the user or password';
    case '3D000':
      return 'there is no database of that name';
    case '42501':
      return 'the user lacks a right';
    case '53300':
      return 'it has no free connection';
    case '57P01':
    case '57P02':
    case '57P03':
      return 'it is starting or shutting down';
    case '25006':
      return 'it is read-only';
    case '53100':
      return 'its disk is full';
    case '42P01':
      return 'its tables are missing; they are made at start, or by `pailou migrate`';
    default:
      return /timeout|terminated|ended|not queryable/i.test(error.message ?? '') ? 'it cannot be reached' : 'it refused the statement';
  }
}

function explain(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  const error = thrown as { code?: string; message?: string };
  return new GatewayError('storage_unavailable', `The PostgreSQL database cannot be used: ${reasonOf(error)}. Check PAILOU_DATABASE_URL.`, {
    cause: thrown,
    details: { code: error.code, message: error.message },
  });
}

/** Data exceptions, violated constraints and exceeded limits, by SQLSTATE class. */
function blamesData(thrown: unknown): boolean {
  return /^(22|23|54)...$/.test((thrown as { code?: string }).code ?? '');
}

/** Keeps the URL out of the message: it may contain the password. */
function checkUrl(url: string): void {
  try {
    // Parses the URL; does not connect.
    new pg.Client({ connectionString: url });
  } catch (cause) {
    throw new GatewayError(
      'configuration_invalid',
      'PAILOU_DATABASE_URL is not a valid URL, e.g. postgres://pailou:password@db.internal:5432/pailou.',
      {
        cause,
        param: 'PAILOU_DATABASE_URL',
      },
    );
  }
}

/** Does not connect yet. Throws `configuration_invalid` for an invalid URL. */
export function openPostgres(url: string, logger: Logger): Database {
  checkUrl(url);
  const types: pg.CustomTypesConfig = {
    getTypeParser: ((oid: number, format: 'text' | 'binary') =>
      oid === bigintType ? parseBigint : pg.types.getTypeParser(oid, format)) as never,
  };
  const clients = new Set<pg.ClientBase>();
  const connections: pg.PoolConfig = {
    connectionString: url,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types,
    application_name: 'pailou',
  };
  const pool = new pg.Pool({
    ...connections,
    max: 10,
    idleTimeoutMillis: 30_000,
    // A dead peer must not block a statement for ever, nor stay in the pool.
    statement_timeout: 30_000,
    maxLifetimeSeconds: 600,
    async onConnect(client) {
      clients.add(client);
      // Compiling a statement with sums takes seconds, and running it some milliseconds. A server without the parameter refuses it.
      await client.query('set jit = off').catch(() => {});
    },
  });
  // An idle connection died: the pool replaces it.
  pool.on('error', (error) => logger.warn({ reason: error.message }, 'lost an idle database connection'));
  pool.on('connect', (client) => {
    // A connection that dies in use fails its statement as well. Without a listener the process would exit.
    client.on('error', (error) => logger.debug({ reason: error.message }, 'lost a database connection in use'));
  });
  pool.on('remove', (client) => clients.delete(client));
  const query = new Kysely<Schema>({ dialect: new PostgresDialect({ pool: statementsByCallback(pool, patienceMs) }) });
  const listener = createPostgresListener(url, logger);
  return {
    kind: 'postgres',
    query,
    patient(lockPatienceMs = 0) {
      const own = new pg.Pool({
        ...connections,
        application_name: patientName,
        max: 2,
        // The role or the database may have a limit, too.
        async onConnect(client) {
          await client.query(`set statement_timeout = 0; set lock_timeout = ${lockPatienceMs}`);
          // Else the statement of a process that has died goes on, and all others wait behind the lock that it waits for.
          await client.query('set client_connection_check_interval = 1000').catch(() => {});
          await client.query('set jit = off').catch(() => {});
        },
      });
      own.on('error', (error) => logger.debug({ reason: error.message }, 'lost a database connection of a migration'));
      return new Kysely<Schema>({ dialect: new PostgresDialect({ pool: own }) });
    },
    insertMany: (batches) =>
      query.transaction().execute(async (transaction) => {
        for (const { table, rows } of batches) {
          if (rows.length === 0) continue;
          const name = sql.table(table);
          await sql`insert into ${name} select * from json_populate_recordset(null::${name}, ${rowsJson(rows)}::json) on conflict do nothing`.execute(
            transaction,
          );
        }
      }),
    async ping() {
      await sql`select 1`.execute(query).catch((thrown: unknown) => {
        throw explain(thrown);
      });
    },
    watch: (changed) => listener.add('config', () => changed()),
    async notify(transaction) {
      await sql`select pg_notify(${channels.config}, '')`.execute(transaction);
    },
    listenNodes: (received) => listener.add('runs', received),
    async notifyNodes(payload) {
      await sql`select pg_notify(${channels.runs}, ${payload})`.execute(query);
    },
    explain,
    blamesData,
    async close() {
      listener.close();
      // A statement without an answer must not block closing.
      const late = setTimeout(() => {
        for (const client of clients) (client as unknown as pg.Client).end().catch(() => {});
      }, closePatienceMs);
      await query.destroy().finally(() => clearTimeout(late));
    },
  };
}
