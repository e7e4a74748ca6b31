/** Both kinds of database, a new one for each test: a file in a temporary folder, or a database on the test PostgreSQL server. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { Database } from '../../src/storage/database.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import type { Logger } from '../../src/types/logger.ts';

export const postgresUrl = process.env['PAILOU_TEST_POSTGRES_URL'];

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
}

async function onServer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: postgresUrl });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

async function create(makeUrl: () => Promise<string | null>, drop: () => Promise<void>): Promise<TestDatabase> {
  const dataDir = await mkdtemp(join(tmpdir(), 'pailou-storage-'));
  const own = await makeUrl();
  const logger = memoryLogger();
  const opened: Database[] = [];
  return {
    url: own,
    dataDir,
    logger,
    async open(url) {
      const database = await openDatabase({ url: url ?? own, dataDir, logger });
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

async function createOnServer(): Promise<TestDatabase> {
  const name = `pailou_${randomBytes(6).toString('hex')}`;
  const makeUrl = async (): Promise<string> => {
    await onServer(`create database ${name}`);
    const url = new URL(postgresUrl ?? '');
    url.pathname = `/${name}`;
    return url.href;
  };
  return create(makeUrl, () => onServer(`drop database ${name} with (force)`));
}

export const databaseKinds: readonly DatabaseKind[] = [
  {
    name: 'SQLite',
    missing: false,
    create: () =>
      create(
        async () => null,
        async () => {},
      ),
  },
  { name: 'PostgreSQL', missing: postgresUrl === undefined, create: createOnServer },
];

/** A migrated database and the first connection to it. */
export async function migrated(kind: DatabaseKind): Promise<{ place: TestDatabase; database: Database }> {
  const place = await kind.create();
  const database = await place.open();
  await migrate(database);
  return { place, database };
}

/** Waits until `check` is true; fails after `withinMs`. */
export async function eventually(check: () => boolean | Promise<boolean>, withinMs = 120_000): Promise<void> {
  const end = Date.now() + withinMs;
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`did not come true within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
