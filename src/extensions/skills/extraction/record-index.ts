/** An index of records, for merging thousands of them. */
import { isWithin } from './merge-values.ts';
import { evidenceOf, type Verified } from './verified-data.ts';
import { plain } from './text-normalizer.ts';

/** The keys of a record: its values and its quotes, independent of list positions. */
export interface Keys {
  readonly values: readonly string[];
  readonly proofs: readonly { readonly key: string; readonly quote: string }[];
}

export function keysOf(record: Verified): Keys {
  const evidence = evidenceOf(record).map(({ path, quote, norm }) => ({
    path: path.replaceAll(/\[\d+\]/g, '[]'),
    quote: plain(quote),
    norm,
  }));
  return {
    values: [...new Set(evidence.map(({ path, norm }) => `${path} ${norm}`))],
    proofs: evidence.map(({ path, quote }) => ({ key: `${path} ${quote}`, quote })),
  };
}

export interface Kept {
  record: Verified;
  /** The last chunk that contains the record. */
  piece: number;
}

/** Values shared by this many records do not distinguish them. */
const mostShared = 200;

/** Indexes records by their values, so that each is compared with a few candidates. */
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
    /** A record that contains everything the given one says. */
    containing(record: Verified, { values }: Keys): Kept | undefined {
      let fewest = byValue.get(values[0] ?? '') ?? none;
      for (const value of values) {
        const found = byValue.get(value) ?? none;
        if (found.size < fewest.size) fewest = found;
      }
      return fewest.values().find((kept) => isWithin(record, kept.record));
    },
    /** A record that the given one contains completely. */
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
