/** Kysely's dialect over the SQLite thread: one connection, one transaction at a time. */
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type TransactionSettings,
} from 'kysely';
import type { SqliteConnection } from './connection.ts';
import type { SqliteValue } from './protocol.ts';

function bindable(value: unknown): SqliteValue {
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (value === undefined) return null;
  return value as SqliteValue;
}

class ThreadConnection implements DatabaseConnection {
  readonly #connection: SqliteConnection;

  constructor(connection: SqliteConnection) {
    this.#connection = connection;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { rows, changes } = await this.#connection.execute(query.sql, query.parameters.map(bindable));
    return { rows: rows as R[], numAffectedRows: BigInt(changes) };
  }

  // oxlint-disable-next-line require-yield -- the interface wants a generator; nothing here streams from SQLite
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('rows are not streamed from SQLite; page by key');
  }
}

class ThreadDriver implements Driver {
  readonly #connection: ThreadConnection;
  readonly #source: SqliteConnection;
  #turn: Promise<void> = Promise.resolve();
  #release: (() => void) | null = null;

  constructor(source: SqliteConnection) {
    this.#source = source;
    this.#connection = new ThreadConnection(source);
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    const before = this.#turn;
    let release: () => void = () => {};
    this.#turn = new Promise((resolve) => {
      release = resolve;
    });
    await before;
    try {
      await this.#source.ready();
    } catch (thrown) {
      release();
      throw thrown;
    }
    this.#release = release;
    return this.#connection;
  }

  async releaseConnection(): Promise<void> {
    this.#release?.();
  }

  async beginTransaction(_connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    // Immediate: two writing processes wait for each other here, instead of failing at their first write.
    await this.#source.execute(settings.accessMode === 'read only' ? 'begin' : 'begin immediate', []);
  }

  async commitTransaction(): Promise<void> {
    await this.#source.execute('commit', []);
  }

  async rollbackTransaction(): Promise<void> {
    await this.#source.execute('rollback', []);
  }

  async destroy(): Promise<void> {
    await this.#source.close();
  }
}

/** Schema changes of SQLite are transactional, so the migrator runs all of them in one locked transaction. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

export function sqliteDialect(connection: SqliteConnection): Dialect {
  return {
    createAdapter: () => new TransactionalAdapter(),
    createDriver: () => new ThreadDriver(connection),
    createIntrospector: (database) => new SqliteIntrospector(database),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}
