/** A read-only connection to a SQLite file of another program. */
import { DatabaseSync } from 'node:sqlite';
import type { ExternalDatabase } from './external-database.ts';

/** Throws when the file cannot be opened; it is never made. */
export function openExternalSqlite(path: string): ExternalDatabase {
  const file = new DatabaseSync(path, { readOnly: true });
  return {
    mark: (place) => `?${place}`,
    quote: (name) => `"${name}"`,
    rows: (text, values, mostRows) =>
      Promise.try(() => {
        const statement = file.prepare(text);
        statement.setReturnArrays(true);
        const rows = statement.all(...values) as unknown as readonly unknown[][];
        if (rows.length > mostRows) throw new Error(`the query brought ${rows.length} rows`);
        return rows;
      }),
    close() {
      file.close();
      return Promise.resolve();
    },
  };
}
