/** PostgreSQL for teams: a pool for statements, one connection that listens. */
import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { GatewayError } from '../types/errors.ts';
import type { Logger } from '../types/logger.ts';
import type { Database } from './database.ts';
import { rowsJson } from './row-json.ts';
import type { Schema } from './schema.ts';

const channel = 'pailou_config';
/** Epoch milliseconds, token counts and money all fit in a double without loss; what does not is left to its reader to doubt. */
const parseBigint = (text: string): number | bigint => {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
};
const bigintType = 20;
const closePatienceMs = 2_000;

/** SQLSTATE classes and socket errors in words. */
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
      return 'it has no connection left';
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

/** Data exceptions, broken constraints and exceeded limits, by the class of the SQLSTATE. */
function blamesData(thrown: unknown): boolean {
  return /^(22|23|54)...$/.test((thrown as { code?: string }).code ?? '');
}

/** The URL stays out of the message: it may hold the password. */
function checkUrl(url: string): void {
  try {
    // Reads the URL; connects to nothing.
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

/** Makes no connection yet. Throws `configuration_invalid` for a URL that cannot be read. */
export function openPostgres(url: string, logger: Logger): Database {
  checkUrl(url);
  const types: pg.CustomTypesConfig = {
    getTypeParser: ((oid: number, format: 'text' | 'binary') =>
      oid === bigintType ? parseBigint : pg.types.getTypeParser(oid, format)) as never,
  };
  const pool = new pg.Pool({
    connectionString: url,
    max: 10,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 30_000,
    // A connection whose far end is gone without a word must not hold a statement for ever, nor be handed out for ever.
    statement_timeout: 30_000,
    query_timeout: 35_000,
    maxLifetimeSeconds: 600,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types,
    application_name: 'pailou',
  });
  // A pooled connection that dies while idle: the pool replaces it.
  pool.on('error', (error) => logger.warn({ reason: error.message }, 'lost an idle database connection'));
  const clients = new Set<pg.PoolClient>();
  pool.on('connect', (client) => {
    clients.add(client);
    // One that dies while in use fails its statement as well; without a listener, Node would end the whole process.
    client.on('error', (error) => logger.debug({ reason: error.message }, 'lost a database connection in use'));
  });
  pool.on('remove', (client) => clients.delete(client));
  const query = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
  const stops = new Set<() => void>();
  return {
    kind: 'postgres',
    query,
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
    watch(listener) {
      const stop = listen(url, listener, logger);
      stops.add(stop);
      return () => {
        stops.delete(stop);
        stop();
      };
    },
    async notify(transaction) {
      await sql`select pg_notify(${channel}, '')`.execute(transaction);
    },
    explain,
    blamesData,
    async close() {
      for (const stop of stops) stop();
      // A statement that the far end never answers must not hold up the closing.
      const late = setTimeout(() => {
        for (const client of clients) (client as unknown as pg.Client).end().catch(() => {});
      }, closePatienceMs);
      await query.destroy().finally(() => clearTimeout(late));
    },
  };
}

/** Listens on a connection of its own and takes a new one, ever more patiently, when it is lost. */
function listen(url: string, listener: () => void, logger: Logger): () => void {
  let stopped = false;
  let client: pg.Client | null = null;
  let delay = 250;
  let timer: NodeJS.Timeout | undefined;

  const connect = async (): Promise<void> => {
    const next = new pg.Client({
      connectionString: url,
      application_name: 'pailou-listen',
      keepAlive: true,
      connectionTimeoutMillis: 5_000,
    });
    client = next;
    next.on('notification', listener);
    next.on('error', () => {});
    next.on('end', retry);
    try {
      await next.connect();
      await next.query(`listen ${channel}`);
      delay = 250;
      // Something may have changed while nobody listened.
      listener();
    } catch (error) {
      logger.debug({ reason: String(error) }, 'cannot listen to the database yet');
      await next.end().catch(() => {});
    }
  };
  const retry = (): void => {
    if (stopped) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      connect().catch(retry);
    }, delay);
    timer.unref();
    delay = Math.min(delay * 2, 10_000);
  };
  connect().catch(retry);
  return () => {
    stopped = true;
    clearTimeout(timer);
    client?.end().catch(() => {});
  };
}
