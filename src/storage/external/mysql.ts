/** A read-only connection to an external MySQL or MariaDB. */
import type { Pool, PoolConnection, PoolOptions, RowDataPacket } from 'mysql2/promise';
import { type ExternalDatabase, mostConnections, timeoutMs, tooMany } from './external-database.ts';

/** The TLS modes of MySQL's own clients: encryption, and verification of the server's name. */
const sslModes: Readonly<Record<string, PoolOptions['ssl']>> = {
  disabled: undefined,
  required: { rejectUnauthorized: false },
  verify_identity: { rejectUnauthorized: true },
};

/** A text compared with a number: MySQL reads `1x` as 1, and could confuse two people. */
const truncatedValue = 1292;

/** The fault of a URL as a sentence; null for none. */
export function mysqlProblem(url: string): string | null {
  if (!URL.canParse(url)) return 'is no address; write mysql://user:password@host:3306/database';
  const { pathname, searchParams } = new URL(url);
  if (pathname.length < 2) return 'names no database; write mysql://user:password@host:3306/database';
  const unknown = [...searchParams.keys()].find((key) => key !== 'ssl-mode');
  if (unknown !== undefined) return `"${unknown}" is not known here; the only option is ssl-mode`;
  const mode = searchParams.get('ssl-mode')?.toLowerCase();
  if (mode !== undefined && !Object.hasOwn(sslModes, mode)) return `ssl-mode must be one of ${Object.keys(sslModes).join(', ')}`;
  return null;
}

function optionsOf(url: string): PoolOptions {
  const { hostname, port, username, password, pathname, searchParams } = new URL(url);
  const ssl = sslModes[searchParams.get('ssl-mode')?.toLowerCase() ?? 'disabled'];
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? 3306 : Number(port),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: decodeURIComponent(pathname.slice(1)),
    ...(ssl === undefined ? {} : { ssl }),
    connectionLimit: mostConnections,
    connectTimeout: timeoutMs,
    // A firewall may drop idle connections.
    maxIdle: 0,
    idleTimeout: 60_000,
    supportBigNumbers: true,
    bigNumberStrings: true,
    // No code generated from column names, and no file requests of the server.
    disableEval: true,
    flags: ['-LOCAL_FILES'],
  };
}

/** Columns with a binary collation arrive as bytes. */
const textOf = (value: unknown): unknown => (Buffer.isBuffer(value) ? value.toString('utf8') : value);

/** Waits for a connection with a timeout. The pool itself would wait without one. */
async function turnOn(pool: Pool): Promise<PoolConnection> {
  const turn = pool.getConnection();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('all connections to the database are busy')), timeoutMs);
  });
  try {
    return await Promise.race([turn, late]);
  } catch (thrown) {
    turn.then(
      (connection) => connection.release(),
      () => {},
    );
    throw thrown;
  } finally {
    clearTimeout(timer);
  }
}

export function openExternalMysql(url: string): ExternalDatabase {
  const open = async (): Promise<Pool> => (await import('mysql2/promise')).createPool(optionsOf(url));
  const prepared = new WeakSet<object>();

  /** Read-only and bounded, for any query and any database user. */
  const prepare = async ({ connection }: PoolConnection, most: number, query: (sql: string) => Promise<unknown>): Promise<void> => {
    if (prepared.has(connection)) return;
    await query('set session transaction read only');
    await query(`set session sql_select_limit = ${most + 1}`);
    prepared.add(connection);
  };

  let pool: Promise<Pool> | null = null;
  return {
    mark: () => '?',
    quote: (name) => `\`${name}\``,
    async rows(text, values, mostRows) {
      pool ??= open();
      const connection = await turnOn(await pool);
      try {
        await prepare(connection, mostRows, (sql) => connection.query({ sql, timeout: timeoutMs }));
        const [rows] = await connection.execute<RowDataPacket[]>({ sql: text, values: [...values], timeout: timeoutMs, rowsAsArray: true });
        if (!Array.isArray(rows)) throw new Error('the statement brought no rows; it must be a query');
        const [warnings] = await connection.query<RowDataPacket[]>({ sql: 'show warnings', timeout: timeoutMs });
        const truncated = warnings.find((warning) => warning['Code'] === truncatedValue);
        if (truncated !== undefined)
          throw new Error(`the query compares a text with a number, which may take one person for another: ${truncated['Message']}`);
        if (rows.length > mostRows) throw tooMany(rows.length);
        connection.release();
        return (rows as unknown[][]).map((row) => row.map(textOf));
      } catch (thrown) {
        // The answer may still arrive.
        connection.destroy();
        throw thrown;
      }
    },
    async close() {
      await (await pool)?.end();
    },
  };
}
