/** A read-only connection to an external PostgreSQL. */
import type { Pool } from 'pg';
import type { Logger } from '../../types/logger.ts';
import { type ExternalDatabase, mostConnections, timeoutMs, tooMany } from './external-database.ts';

export function openExternalPostgres(url: string, logger: Logger): ExternalDatabase {
  const open = async (): Promise<Pool> => {
    const { default: pg } = await import('pg');
    const made = new pg.Pool({
      connectionString: url,
      max: mostConnections,
      connectionTimeoutMillis: timeoutMs,
      statement_timeout: timeoutMs,
      query_timeout: timeoutMs,
      // Read-only, for any query and any database user.
      options: '-c default_transaction_read_only=on',
      application_name: 'pailou',
      allowExitOnIdle: true,
    });
    made.on('error', (error) => logger.warn({ err: error }, 'a connection to the database of the identity service was lost'));
    return made;
  };
  let pool: Promise<Pool> | null = null;
  return {
    mark: (place) => `$${place}`,
    quote: (name) => `"${name}"`,
    async rows(text, values, mostRows) {
      pool ??= open();
      // Values force the extended protocol, which refuses several statements in one text.
      const { rows } = await (await pool).query<unknown[]>({ text, values: [...values], rowMode: 'array' });
      if (rows.length > mostRows) throw tooMany(rows.length);
      return rows;
    },
    async close() {
      await (await pool)?.end();
    },
  };
}
