/** A database of somebody else, which is only ever read. */
import { Pool } from 'pg';
import type { Logger } from '../types/logger.ts';

export interface ForeignDatabase {
  /** The rows as lists of columns. Rejects when the database cannot answer in five seconds, or with more than `mostRows` rows. */
  rows(text: string, values: readonly (string | null)[], mostRows: number): Promise<readonly (readonly unknown[])[]>;
  close(): Promise<void>;
}

const timeoutMs = 5_000;

/** `url`: postgres://… No connection is made before the first question. */
export function openForeignDatabase(url: string, logger: Logger): ForeignDatabase {
  const pool = new Pool({
    connectionString: url,
    max: 4,
    connectionTimeoutMillis: timeoutMs,
    statement_timeout: timeoutMs,
    query_timeout: timeoutMs,
    // Whatever a query says, and whatever its user may do: nothing here writes.
    options: '-c default_transaction_read_only=on',
    application_name: 'pailou',
    allowExitOnIdle: true,
  });
  pool.on('error', (error) => logger.warn({ err: error }, 'a connection to the database of the identity service was lost'));
  return {
    async rows(text, values, mostRows) {
      // Several statements in one text are refused by the protocol of prepared ones, which values demand; without values it would allow them.
      const { rows } = await pool.query<unknown[]>({ text, values: [...values], rowMode: 'array' });
      if (rows.length > mostRows) throw new Error(`the query brought ${rows.length} rows, which cannot be one person's`);
      return rows;
    },
    close: () => pool.end(),
  };
}
