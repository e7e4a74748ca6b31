/** Records that were found, found again among thousands. */
import { isWithin } from './merge-values.ts';
import { evidenceOf, type Verified } from './verified-data.ts';
import { plain } from './text-normalizer.ts';

/** How a record is found again: by its values, and by the words that prove them, wherever in a list they stand. */
export interface Keys {
  readonly values: readonly string[];
  readonly proofs: readonly { readonly key: string; readonly quote: string }[];
}

export function keysOf(record: Verified): Keys {
  const told = evidenceOf(record).map(({ path, quote, norm }) => ({ path: path.replaceAll(/\[\d+\]/g, '[]'), quote: plain(quote), norm }));
  return {
    values: [...new Set(told.map(({ path, norm }) => `${path} ${norm}`))],
    proofs: told.map(({ path, quote }) => ({ key: `${path} ${quote}`, quote })),
  };
}

export interface Kept {
  record: Verified;
  /** The last piece that holds it. */
  piece: number;
}

/** Many values are shared by many records, and tell them not apart. */
const mostShared = 200;

/** Records by their values, so that each is compared with the few that it may be the same as. */
export function createRecordIndex() {
  const byValue = new Map<string, Set<Kept>>();
  const none: ReadonlySet<Kept> = new Set();
  return {
    add(kept: Kept, { values }: Keys): void {
      for (const value of values) {
        const known = byValue.get(value);
        if (known === undefined) byValue.set(value, new Set([kept]));
        else known.add(kept);
      }
    },
    /** One that says all that the record says. */
    containing(record: Verified, { values }: Keys): Kept | undefined {
      let fewest = byValue.get(values[0] ?? '') ?? none;
      for (const value of values) {
        const found = byValue.get(value) ?? none;
        if (found.size < fewest.size) fewest = found;
      }
      return fewest.values().find((kept) => isWithin(record, kept.record));
    },
    /** One of which all is said by the record. */
    within(record: Verified, { values }: Keys): Kept | undefined {
      for (const value of values) {
        const found = byValue.get(value) ?? none;
        if (found.size > mostShared) continue;
        const smaller = found.values().find((kept) => isWithin(kept.record, record));
        if (smaller !== undefined) return smaller;
      }
      return undefined;
    },
  };
}
