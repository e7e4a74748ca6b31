/** Both kinds of database, a new one for each test: a file in a temporary folder, or a database on the test PostgreSQL server. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database } from '../../src/storage/database.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import type { Logger } from '../../src/types/logger.ts';
import { createDatabase, dropDatabase, postgresUrl, returnDatabase, urlOnServer } from './postgres-databases.ts';
import { copyDatabaseInto, takeMigrated } from './template-databases.ts';

export { postgresUrl } from './postgres-databases.ts';

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: Record<string, unknown>;
  readonly message: string;
}

/** A logger that keeps its lines for tests. */
export function memoryLogger(): Logger & { readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const at = (level: LogLine['level']) => (fields: object, message: string) => {
    lines.push({ level, fields: fields as Record<string, unknown>, message });
  };
  const logger = { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), child: () => logger };
  return logger;
}

export interface TestDatabase extends AsyncDisposable {
  readonly url: string | null;
  readonly dataDir: string;
  readonly logger: ReturnType<typeof memoryLogger>;
  /** Another connection to the same database, as another node would have it. */
  open(url?: string): Promise<Database>;
}

export interface DatabaseKind {
  readonly name: 'SQLite' | 'PostgreSQL';
  readonly missing: boolean;
  /** Creates an empty database. */
  create(): Promise<TestDatabase>;
  /** Creates a database with all tables. */
  createMigrated(): Promise<TestDatabase>;
}

async function create(url: string | null, drop: () => Promise<unknown>): Promise<TestDatabase> {
  const dataDir = await mkdtemp(join(tmpdir(), 'pailou-storage-'));
  const logger = memoryLogger();
  const opened: Database[] = [];
  return {
    url,
    dataDir,
    logger,
    async open(other) {
      const database = await openDatabase({ url: other ?? url, dataDir, logger });
      opened.push(database);
      return database;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(opened.map((database) => database.close()));
      await drop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

export const databaseKinds: readonly DatabaseKind[] = [
  {
    name: 'SQLite',
    missing: false,
    create: () => create(null, async () => {}),
    async createMigrated() {
      const place = await create(null, async () => {});
      await copyDatabaseInto(place.dataDir);
      return place;
    },
  },
  {
    name: 'PostgreSQL',
    missing: postgresUrl === undefined,
    async create() {
      const name = await createDatabase();
      return create(urlOnServer(name), () => dropDatabase(name));
    },
    async createMigrated() {
      const name = await takeMigrated();
      return create(urlOnServer(name), () => returnDatabase(name));
    },
  },
];

/** A migrated database and the first connection to it. */
export async function migrated(kind: DatabaseKind): Promise<{ place: TestDatabase; database: Database }> {
  const place = await kind.createMigrated();
  return { place, database: await place.open() };
}

/** Waits until `check` is true; fails after `withinMs`. */
export async function eventually(check: () => boolean | Promise<boolean>, withinMs = 120_000): Promise<void> {
  const end = Date.now() + withinMs;
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`did not come true within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
