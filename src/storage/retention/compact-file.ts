/** Writes a SQLite file anew without its free pages. From then on its free pages go back to the disk in small steps. */
import { sql } from 'kysely';
import type { Database } from '../database.ts';

/** Blocks every other process on the file for its whole time, and needs as much free disk as the file has data. */
export async function compactFile(database: Database): Promise<void> {
  await database.query.connection().execute(async (connection) => {
    // The kind of vacuum of an existing file changes only with a vacuum, and only outside of the WAL.
    await sql`pragma auto_vacuum = incremental`.execute(connection);
    await sql`vacuum`.execute(connection);
  });
}
