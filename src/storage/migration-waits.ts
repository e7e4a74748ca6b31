/** Names what a migration waits for: another node that migrates, or a program that holds a lock, such as a dump. */
import { sql } from 'kysely';
import type { Logger } from '../types/logger.ts';
import type { Database } from './database.ts';

/** The name under which PostgreSQL lists the connections of migrations. */
export const patientName = 'pailou-patient';

/** Most migrations end before the first line. */
const firstAfterMs = 5_000;
const everyMs = 30_000;

interface Holder {
  readonly pid: number;
  readonly application: string;
  readonly user: string;
  readonly since: string | null;
}

async function holders(database: Database): Promise<readonly Holder[]> {
  if (database.kind === 'sqlite') return [];
  // Other patient connections pack indexes, and wait for no lock for long.
  const { rows } = await sql<Holder>`select distinct holder.pid, holder.application_name as application, holder.usename as user,
      to_char(holder.xact_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as since
    from pg_stat_activity waiting cross join lateral unnest(pg_blocking_pids(waiting.pid)) as blocking (pid)
      join pg_stat_activity holder on holder.pid = blocking.pid
    where waiting.datname = current_database() and waiting.application_name = ${patientName}`.execute(database.query);
  return rows;
}

/** Logs a line from time to time, until the function that it returns is called. */
export function reportMigrationWaits(database: Database, logger: Logger): () => void {
  const report = (): void => {
    timer = setTimeout(report, everyMs);
    const tell = (waitsFor: readonly Holder[]): void =>
      logger.warn({ waitsFor }, 'the database is being migrated, here or by another node; this one opens afterwards');
    holders(database).then(tell, () => tell([]));
  };
  let timer = setTimeout(report, firstAfterMs);
  return () => clearTimeout(timer);
}
