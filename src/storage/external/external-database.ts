/** A read-only connection to an external database: the tables of the company's identity service, or of a gateway that is imported. */

export interface ExternalDatabase {
  /** The placeholder for the value at this position, counted from 1. */
  readonly mark: (place: number) => string;
  /** A name as a quoted identifier. */
  readonly quote: (name: string) => string;
  /** The rows as lists of columns. Rejects after five seconds, and above `mostRows` rows. */
  rows(text: string, values: readonly (string | null)[], mostRows: number): Promise<readonly (readonly unknown[])[]>;
  close(): Promise<void>;
}

/** Milliseconds for connecting, for an answer, and for a free connection. */
export const timeoutMs = 5_000;
export const mostConnections = 4;

export function tooMany(rows: number): Error {
  return new Error(`the query brought ${rows} rows, which cannot be one person's`);
}
