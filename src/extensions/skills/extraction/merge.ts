/** Merges the records of all chunks of a document, without duplicates from overlaps and without losses at cuts. */
import type { Json } from '../../../types/json.ts';
import { mergeValues, type Joining } from './merge-values.ts';
import { dataOf, type Evidence, evidenceOf, type Verified, type Rejected } from './verified-data.ts';
import { createRecordIndex, type Kept, keysOf } from './record-index.ts';
import { plain } from './text-normalizer.ts';

/** The result of one chunk. */
export interface Extraction {
  readonly records: readonly Verified[];
  readonly rejected: readonly Rejected[];
  /** The text that the chunk shares with the one before it. */
  readonly overlap: string;
}

/** `once`: equal records from several places are one. `each`: every place counts, except for text that was read twice. */
export type Repeated = 'once' | 'each';

export type MergedEvidence = Omit<Evidence, 'norm'>;

export interface Merged {
  readonly data: Json;
  readonly evidence: readonly MergedEvidence[];
  readonly rejected: readonly Rejected[];
}

function contradict(one: Verified, other: Verified): boolean {
  let found = false;
  mergeValues(one, other, { onContradiction: () => (found = true) });
  return found;
}

/** The overlapping text. It accounts for as many repetitions of a record as it holds quotes of it. */
interface OverlapText {
  /** True when one of the quotes lies in the overlap and has not accounted for a repetition yet. */
  take(quotes: readonly string[]): boolean;
}

function overlapOf(text: string): OverlapText {
  const left = new Map<string, number>();
  return {
    take(quotes) {
      for (const quote of quotes) {
        const rest = left.get(quote) ?? (quote === '' ? 0 : text.split(quote).length - 1);
        left.set(quote, Math.max(0, rest - 1));
        if (rest > 0) return true;
      }
      return false;
    },
  };
}

/** With `each`, only items from the overlap are duplicates. */
function onlyIn(overlap: string, repeated: Repeated): Pick<Joining, 'mayRepeat'> {
  if (repeated === 'once') return {};
  const known = overlapOf(overlap);
  return { mayRepeat: (item) => known.take(evidenceOf(item).map(({ quote }) => plain(quote))) };
}

function allRecords(parts: readonly Extraction[], repeated: Repeated): readonly Verified[] {
  const all: Kept[] = [];
  const index = createRecordIndex();
  /** Records of the chunk before, by their quotes. */
  let last = new Map<string, Kept[]>();
  for (const [piece, part] of parts.entries()) {
    const before = last;
    const overlap = plain(part.overlap);
    const twice = overlapOf(overlap);
    const here = new Map<string, Kept[]>();
    for (const record of part.records) {
      const keys = keysOf(record);
      const remember = (kept: Kept): void => {
        for (const { key } of keys.proofs) {
          const known = here.get(key);
          if (known === undefined) here.set(key, [kept]);
          else known.push(kept);
        }
        index.add(kept, keys);
      };
      // The same record, of which a part lies in the overlap.
      const shared = keys.proofs.filter(({ quote }) => overlap.includes(quote));
      const again = shared
        .flatMap(({ key }) => before.get(key) ?? [])
        .find((kept) => kept.piece === piece - 1 && !contradict(kept.record, record));
      if (again !== undefined && twice.take(shared.map(({ quote }) => quote))) {
        again.record = mergeValues(again.record, record, { onContradiction() {}, ...onlyIn(overlap, repeated) });
        again.piece = piece;
        remember(again);
        continue;
      }
      if (repeated === 'once') {
        if (index.containing(record, keys) !== undefined) continue;
        const smaller = index.within(record, keys);
        if (smaller !== undefined) {
          smaller.record = record;
          smaller.piece = piece;
          remember(smaller);
          continue;
        }
      }
      const kept: Kept = { record, piece };
      all.push(kept);
      remember(kept);
    }
    last = here;
  }
  return all.map(({ record }) => record);
}

const shown = ({ path, quote, source, exact }: Evidence): MergedEvidence => ({ path, quote, source, exact });

/** `many`: returns a list of records. Otherwise one record, each field from the first place that states it; contradictions are reported. */
export function mergeRecords(parts: readonly Extraction[], many: boolean, repeated: Repeated): Merged {
  const rejected = parts.flatMap((part) => part.rejected);
  if (many) {
    const all: Verified = { items: allRecords(parts, repeated) };
    return { data: dataOf(all), evidence: evidenceOf(all).map(shown), rejected };
  }
  let whole: Verified = { fields: {} };
  const onContradiction: Joining['onContradiction'] = (path, value, proof) => {
    rejected.push({ value: { [path]: value }, reason: `another place differs: "${proof?.quote.slice(0, 200) ?? ''}"` });
  };
  for (const part of parts) {
    const joining = { onContradiction, ...onlyIn(plain(part.overlap), repeated) };
    for (const record of part.records) whole = mergeValues(whole, record, joining);
  }
  return { data: dataOf(whole), evidence: evidenceOf(whole).map(shown), rejected };
}
