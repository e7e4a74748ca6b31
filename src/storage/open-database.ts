/** Opens the database: SQLite in a thread for one machine, or PostgreSQL. */
import { access, constants, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Kysely, sql } from 'kysely';
import { GatewayError } from '../types/errors.ts';
import type { Database, DatabaseOptions } from './database.ts';
import { makeFolder } from './make-folder.ts';
import type { Schema } from './schema.ts';
import { SqliteConnection } from './sqlite/connection.ts';
import { sqliteDialect } from './sqlite/dialect.ts';
import { type GatewayLock, lockForGateway } from './sqlite/gateway-lock.ts';
import { isDataError, readOnlyCode, statementError } from './sqlite/errors.ts';

const watchIntervalMs = 150;

export function isPostgresUrl(url: string | null): url is string {
  return url !== null && /^postgres(ql)?:\/\//.test(url);
}

/** The file of a SQLite database. Throws `configuration_invalid` for an address that is none. */
export function databasePath({ url, dataDir }: Pick<DatabaseOptions, 'url' | 'dataDir'>): string {
  return url === null ? join(dataDir, 'pailou.db') : pathOf(url);
}

/** Opens the database; SQLite's file is created. PostgreSQL is contacted at the first statement. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { url, dataDir, logger } = options;
  if (isPostgresUrl(url)) {
    const { openPostgres } = await import('./postgres.ts');
    return openPostgres(url, logger);
  }
  const path = databasePath(options);
  makeDataFolder(dataDir);
  makeDataFolder(dirname(path));
  return openSqlite(path, options.forGateway === true);
}

function pathOf(url: string): string {
  const path = url.startsWith('sqlite:') ? url.slice('sqlite:'.length) : '';
  if (path !== '' && path !== ':memory:') return path;
  throw new GatewayError(
    'configuration_invalid',
    'PAILOU_DATABASE_URL must be postgres://… or sqlite:<file>, e.g. postgres://pailou@db.internal/pailou.',
    { param: 'PAILOU_DATABASE_URL' },
  );
}

function makeDataFolder(folder: string): void {
  try {
    makeFolder(folder);
  } catch (cause) {
    throw new GatewayError(
      'storage_unavailable',
      `The data folder ${folder} cannot be made. Check PAILOU_DATA_DIR and the rights on its parent.`,
      { cause },
    );
  }
}

/** Makes the file readable for its owner only. SQLite reports what prevents its creation. */
async function makePrivate(path: string): Promise<void> {
  const file = await open(path, 'wx', 0o600).catch(() => null);
  await file?.close();
}

/** SQLite opens a read-only file without an error and fails at the first write, which is too late. */
async function checkWritable(path: string): Promise<void> {
  for (const place of [path, dirname(path)]) {
    await access(place, constants.R_OK | constants.W_OK).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'ENOENT') throw statementError(path, { message: cause.message, errcode: readOnlyCode });
    });
  }
}

/** Rejects as `open` does, and then holds no lock. */
async function connect(path: string, lock: GatewayLock | null): Promise<SqliteConnection> {
  try {
    return await SqliteConnection.open(path);
  } catch (thrown) {
    lock?.release();
    throw thrown;
  }
}

async function openSqlite(path: string, forGateway: boolean): Promise<Database> {
  await makePrivate(path);
  await checkWritable(path);
  const lock = forGateway ? await lockForGateway(path) : null;
  const connection = await connect(path, lock);
  const query = new Kysely<Schema>({ dialect: sqliteDialect(connection) });
  const explain = (thrown: unknown): GatewayError =>
    thrown instanceof GatewayError
      ? thrown
      : new GatewayError('storage_unavailable', 'The database refused the statement. See the log of the node.', {
          cause: thrown,
          details: String(thrown),
        });
  return {
    kind: 'sqlite',
    query,
    // Takes the connection from Kysely's pool, so that no other statement interleaves.
    insertMany: (batches) => query.connection().execute(() => connection.insertMany(batches.filter((batch) => batch.rows.length > 0))),
    async ping() {
      await sql`select 1`.execute(query).catch((thrown: unknown) => {
        throw explain(thrown);
      });
    },
    watch: (listener) => connection.watch(listener, watchIntervalMs),
    // Other processes notice the change of the file's data version.
    notify: async () => {},
    explain,
    blamesData: isDataError,
    async close() {
      await query.destroy();
      // Kysely closes only a connection that had a statement.
      await connection.close();
      lock?.release();
    },
  };
}
