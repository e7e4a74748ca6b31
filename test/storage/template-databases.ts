/** Migrated databases for tests. A run migrates one of each kind, when the first test needs it; the others are copies. */
import { constants } from 'node:fs';
import { access, copyFile, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate } from '../../src/storage/migrate.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import type { Logger } from '../../src/types/logger.ts';
import { dropDatabasesOf, postgresUrl, takeDatabase } from './postgres-databases.ts';

const variable = 'PAILOU_TEST_TEMPLATES';
const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };

/** vitest calls it once, before the workers start. They inherit the variable. */
export async function setup(): Promise<void> {
  process.env[variable] = await mkdtemp(join(tmpdir(), 'pailou-templates-'));
}

/** vitest calls it once, after the last worker. */
export async function teardown(): Promise<void> {
  const folder = process.env[variable];
  if (folder === undefined) return;
  if (postgresUrl !== undefined) await dropDatabasesOf(folder);
  await rm(folder, { recursive: true, force: true });
}

async function migrateAt(url: string | null, dataDir: string): Promise<void> {
  const database = await openDatabase({ url, dataDir, logger: quiet });
  try {
    await migrate(database);
  } finally {
    await database.close();
  }
}

async function makeFile(folder: string): Promise<string> {
  const file = join(folder, 'pailou.db');
  const exists = await access(file).then(
    () => true,
    () => false,
  );
  if (exists) return file;
  const draft = await mkdtemp(join(folder, 'draft-'));
  await migrateAt(null, draft);
  await rename(join(draft, 'pailou.db'), file);
  return file;
}

const folder = process.env[variable];
let file: Promise<string> | null = null;

/** Puts a migrated SQLite database into a data folder. Does nothing outside of a run of vitest.config.ts. */
export async function copyDatabaseInto(dataDir: string): Promise<void> {
  if (folder === undefined) return;
  file ??= makeFile(folder);
  await copyFile(await file, join(dataDir, 'pailou.db'), constants.COPYFILE_EXCL);
}

/** The name of a migrated database on the test PostgreSQL server. */
export function takeMigrated(): Promise<string> {
  if (folder === undefined) throw new Error('Only vitest.config.ts prepares templates.');
  return takeDatabase(folder, (url) => migrateAt(url, folder));
}
