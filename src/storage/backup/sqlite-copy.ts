/** A consistent copy of a SQLite file while a gateway writes to it. */
import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { GatewayError } from '../../types/errors.ts';
import { statementError } from '../sqlite/errors.ts';

/** SQLite's result code for a full disk: only the copy is written. */
const fullCode = 13;

/** Copies one moment of the database to `target`, an empty file. Blocks this process, not the gateway. Throws `storage_unavailable`. */
export function copySqlite(source: string, target: string): void {
  if (!existsSync(source)) throw new GatewayError('storage_unavailable', `There is no database ${source}. Check PAILOU_DATA_DIR.`);
  try {
    using database = new DatabaseSync(source);
    database.exec('PRAGMA busy_timeout = 10000');
    database.prepare('VACUUM INTO ?').run(target);
  } catch (thrown) {
    if (((thrown as { errcode?: number }).errcode ?? 0) % 256 === fullCode)
      throw new GatewayError(
        'storage_unavailable',
        `There is no room for the backup ${target}. Free space on its disk, or name a folder on another one.`,
        { cause: thrown },
      );
    throw statementError(source, thrown as Error);
  }
}
