/** Keyset paging: `after` is the last key of the page before, so that no row is skipped or repeated while rows change. */
import { z } from 'zod';
import { storedText } from '../api/bodies/stored-text.ts';

export const pageQuery = z.object({
  after: storedText(300).optional().describe('The `next` of the previous page.'),
  limit: z.coerce.number().int().min(1).max(500).default(50),
});

export interface Page<T> {
  readonly data: readonly T[];
  /** Null on the last page. */
  readonly next: string | null;
}

/** One page of `rows`, which must be sorted by `key`. */
export function pageOf<T>(rows: readonly T[], key: (row: T) => string, query: z.output<typeof pageQuery>): Page<T> {
  const { after, limit } = query;
  const start = after === undefined ? 0 : rows.findIndex((row) => key(row) > after);
  if (start === -1) return { data: [], next: null };
  const data = rows.slice(start, start + limit);
  const last = data.at(-1);
  return { data, next: last === undefined || start + limit >= rows.length ? null : key(last) };
}
