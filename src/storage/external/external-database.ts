/** A database of somebody else, which is only ever read: the tables of the company's identity service. */

export interface ExternalDatabase {
  /** How the value at this place of a statement is written, counted from 1. */
  readonly mark: (place: number) => string;
  /** The rows as lists of columns. Rejects when the database cannot answer in five seconds, or with more than `mostRows` rows. */
  rows(text: string, values: readonly (string | null)[], mostRows: number): Promise<readonly (readonly unknown[])[]>;
  close(): Promise<void>;
}

/** Milliseconds for a connection, for an answer, and for a turn. */
export const timeoutMs = 5_000;
export const mostConnections = 4;

export function tooMany(rows: number): Error {
  return new Error(`the query brought ${rows} rows, which cannot be one person's`);
}
