/** One database, two kinds: SQLite in a thread for one machine, PostgreSQL for a team. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Kysely, sql } from 'kysely';
import { GatewayError } from '../types/errors.ts';
import type { Database, DatabaseOptions } from './database.ts';
import { openPostgres } from './postgres.ts';
import type { Schema } from './schema.ts';
import { SqliteConnection } from './sqlite/connection.ts';
import { sqliteDialect } from './sqlite/dialect.ts';

const watchIntervalMs = 150;

export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { url, dataDir } = options;
  if (url !== null && /^postgres(ql)?:\/\//.test(url)) return openPostgres(url, options.logger);
  if (url !== null && !url.startsWith('sqlite:')) {
    throw new GatewayError(
      'configuration_invalid',
      'PAILOU_DATABASE_URL must begin with postgres:// or sqlite:, e.g. postgres://pailou@db.internal/pailou.',
      { param: 'PAILOU_DATABASE_URL' },
    );
  }
  const path = url === null ? join(dataDir, 'pailou.db') : url.slice('sqlite:'.length);
  await mkdir(dataDir, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw new GatewayError(
      'storage_unavailable',
      `The data folder ${dataDir} cannot be made. Check PAILOU_DATA_DIR and the rights on its parent.`,
      { cause },
    );
  });
  return openSqlite(path);
}

async function openSqlite(path: string): Promise<Database> {
  const connection = await SqliteConnection.open(path);
  const query = new Kysely<Schema>({ dialect: sqliteDialect(connection) });
  return {
    kind: 'sqlite',
    query,
    // The turn is taken from Kysely's pool, so that no other statement gets in between.
    insertMany: (batches) => query.connection().execute(() => connection.insertMany(batches.filter((batch) => batch.rows.length > 0))),
    async ping() {
      await sql`select 1`.execute(query);
    },
    watch: (listener) => connection.watch(listener, watchIntervalMs),
    // Other processes see that the file's data version rose.
    notify: async () => {},
    explain: (thrown) =>
      thrown instanceof GatewayError
        ? thrown
        : new GatewayError('storage_unavailable', 'The database refused the statement. See the log of the node.', {
            cause: thrown,
            details: String(thrown),
          }),
    close: () => query.destroy(),
  };
}
