/** Backs the database up while nodes serve, and restores a backup into an empty place. The master key is never part of a backup. */
import { existsSync } from 'node:fs';
import { chmod, copyFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'kysely';
import { GatewayError } from '../../types/errors.ts';
import type { Logger } from '../../types/logger.ts';
import { version } from '../../types/version.ts';
import { configTables } from '../config-store.ts';
import type { Database } from '../database.ts';
import { migrationsOf } from '../migrate.ts';
import { makeFolder } from '../make-folder.ts';
import { databasePath, isPostgresUrl, openDatabase } from '../open-database.ts';
import { lockForGateway } from '../sqlite/gateway-lock.ts';
import { checkData, digestOf, type Manifest, manifestName, readManifest } from './manifest.ts';
import { dumpPostgres, restorePostgres } from './postgres-tools.ts';
import { copySqlite } from './sqlite-copy.ts';

export interface Place {
  /** `PAILOU_DATABASE_URL`; null: SQLite in the data folder. */
  readonly url: string | null;
  readonly dataDir: string;
  readonly logger: Logger;
}

const invalid = (message: string): GatewayError => new GatewayError('invalid_request', message);

/** Files that repeat what a database said. After a restore they would say more than the database. */
const copiesOfDatabase = ['last-good.jsonl', 'last-good.json', 'blocked-people.json'];

async function makeEmptyFolder(folder: string): Promise<void> {
  try {
    makeFolder(folder);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new GatewayError('invalid_request', `The folder ${folder} cannot be made (${code}). Give another place.`, { cause });
  }
  if ((await readdir(folder)).length > 0) throw invalid(`${folder} is not empty. Give each backup a folder of its own.`);
}

type Facts = Pick<Manifest, 'revision' | 'migration' | 'keys'>;

/** What a restore must know about the data. */
async function factsOf({ query }: Database): Promise<Facts> {
  const { revision } = await query
    .selectFrom('llm_config_history')
    .select((select) => select.fn.coalesce(select.fn.max('revision'), sql<number>`0`).as('revision'))
    .executeTakeFirstOrThrow();
  const { rows } = await sql<{ name: string }>`select name from llm_migration order by name desc limit 1`.execute(query);
  const keys = new Set<string>();
  for (const table of configTables) {
    for (const { spec } of await query.selectFrom(table).select('spec').where('spec', 'like', '%"$sealed"%').execute())
      for (const [, id = ''] of spec.matchAll(/"\$sealed":"v1\.([^."]+)\./g)) keys.add(id);
  }
  return { revision: Number(revision), migration: rows[0]?.name ?? '', keys: [...keys].toSorted() };
}

async function withDatabase<T>(place: Place, work: (database: Database) => Promise<T>): Promise<T> {
  const database = await openDatabase(place);
  try {
    return await work(database);
  } catch (thrown) {
    throw database.explain(thrown);
  } finally {
    await database.close();
  }
}

/** Writes a backup into `folder`, which must be empty or absent. Nodes serve on. After a failure the folder is empty, for another attempt. */
export async function backUp(place: Place, folder: string): Promise<Manifest> {
  await makeEmptyFolder(folder);
  try {
    return await writeBackup(place, folder);
  } catch (thrown) {
    for (const name of await readdir(folder)) await rm(join(folder, name), { force: true });
    throw thrown;
  }
}

async function writeBackup(place: Place, folder: string): Promise<Manifest> {
  const { url } = place;
  const isPostgres = isPostgresUrl(url);
  const file = isPostgres ? 'pailou.dump' : 'pailou.db';
  const path = join(folder, file);
  // Both tools write into an empty file and keep its mode, so that no other user reads the data meanwhile.
  await writeFile(path, '', { mode: 0o600 });
  if (isPostgres) await dumpPostgres(url, path);
  else copySqlite(databasePath(place), path);
  const facts = await withDatabase(isPostgres ? place : { ...place, url: `sqlite:${path}` }, factsOf);
  const manifest: Manifest = {
    format: 1,
    pailou: version,
    created_at: new Date().toISOString(),
    database: isPostgres ? 'postgres' : 'sqlite',
    file,
    bytes: (await stat(path)).size,
    sha256: await digestOf(path),
    ...facts,
  };
  await writeFile(join(folder, manifestName), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 });
  return manifest;
}

export interface RestoreOptions {
  /** Moves an existing SQLite database aside. */
  readonly replace: boolean;
  /** The ids of the configured master keys; null: their absence is accepted. */
  readonly keys: readonly string[] | null;
}

function checkFits({ database, migration, keys }: Manifest, { url }: Place, options: RestoreOptions): void {
  const configured = isPostgresUrl(url) ? 'postgres' : 'sqlite';
  if (database !== configured) throw invalid(`This is a backup of ${database}, but PAILOU_DATABASE_URL configures ${configured}.`);
  if (!Object.hasOwn(migrationsOf(null), migration))
    throw invalid(`The backup was made by a newer version of Pailou (its tables are at ${migration}). Install that version first.`);
  const lost = options.keys === null ? [] : keys.filter((id) => options.keys?.includes(id) !== true);
  if (lost.length > 0)
    throw invalid(
      `The configured master key does not open this backup; it needs the key ${lost.join(', ')}. Set PAILOU_MASTER_KEY (or PAILOU_MASTER_KEY_OLD), or add --without-key: vendors' keys in it stay closed then and have to be entered again.`,
    );
}

/** Moves the files aside and returns their new names. Nothing is deleted. `endings`: of further files that belong to each. */
async function moveAside(paths: readonly string[], endings: readonly string[] = []): Promise<string[]> {
  const moved: string[] = [];
  const suffix = `.before-restore-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`;
  for (const path of paths)
    for (const ending of ['', ...endings]) {
      if (!existsSync(path + ending)) continue;
      await rename(path + ending, path + suffix + ending);
      moved.push(path + suffix + ending);
    }
  return moved;
}

async function restoreSqlite(place: Place, source: string, replace: boolean): Promise<string[]> {
  const target = databasePath(place);
  makeFolder(place.dataDir);
  if (existsSync(target) && !replace)
    throw invalid(`There is a database ${target} already. Add --replace to move it aside, or set PAILOU_DATA_DIR to another folder.`);
  // A gateway that serves would write into the file that is moved.
  const lock = await lockForGateway(target);
  const copy = `${target}.restoring`;
  try {
    // Copied first: a full disk leaves the existing database where it is.
    await copyFile(source, copy);
    await chmod(copy, 0o600);
    // SQLite finds the last changes of a database by the name of its file.
    const moved = await moveAside([target], ['-wal', '-shm']);
    await rename(copy, target);
    return moved;
  } finally {
    await rm(copy, { force: true });
    lock.release();
  }
}

async function requireNoTables(place: Place): Promise<void> {
  const tables = await withDatabase(place, ({ query }) => query.introspection.getTables());
  if (tables.some(({ name }) => name.startsWith('llm_')))
    throw invalid('The database of PAILOU_DATABASE_URL holds tables of Pailou already. Create an empty one (createdb) and name that.');
}

/** Restores the backup in `folder`. No node may run on the place. Returns the backup, and the files that were moved aside. */
export async function restore(place: Place, folder: string, options: RestoreOptions): Promise<{ manifest: Manifest; moved: string[] }> {
  const manifest = await readManifest(folder);
  checkFits(manifest, place, options);
  await checkData(folder, manifest);
  const source = join(folder, manifest.file);
  const moved: string[] = [];
  if (isPostgresUrl(place.url)) {
    await requireNoTables(place);
    await restorePostgres(place.url, source);
  } else moved.push(...(await restoreSqlite(place, source, options.replace)));
  moved.push(...(await moveAside(copiesOfDatabase.map((name) => join(place.dataDir, name)))));
  return { manifest, moved };
}
