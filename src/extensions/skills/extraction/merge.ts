/** What was found in the pieces of a document, put together: nothing twice because it was read twice, nothing lost where it was cut. */
import type { Json } from '../../../types/json.ts';
import { mergeValues, type Joining } from './merge-values.ts';
import { dataOf, type Evidence, evidenceOf, type Verified, type Rejected } from './verified-data.ts';
import { createRecordIndex, type Kept, keysOf } from './record-index.ts';
import { plain } from './text-normalizer.ts';

/** Of one piece. */
export interface Extraction {
  readonly records: readonly Verified[];
  readonly rejected: readonly Rejected[];
  /** What the piece repeats of the one before it. */
  readonly overlap: string;
}

/** `once`: what several places say is one record. `each`: every place counts, but for what was read twice. */
export type Repeated = 'once' | 'each';

export type MergedEvidence = Omit<Evidence, 'norm'>;

export interface Merged {
  readonly data: Json;
  readonly evidence: readonly MergedEvidence[];
  readonly rejected: readonly Rejected[];
}

function contradict(one: Verified, other: Verified): boolean {
  let found = false;
  mergeValues(one, other, { told: () => (found = true) });
  return found;
}

/** The text that was read twice: it explains a repetition as often as its words stand in it. */
interface ResumeMatcher {
  /** True if one of the quotes may have been read before, as far as that was not said already. */
  take(quotes: readonly string[]): boolean;
}

function overlapOf(text: string): ResumeMatcher {
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

/** Where equal items count each, only those in the text that was read twice are the same. */
function onlyIn(overlap: string, repeated: Repeated): Pick<Joining, 'mayRepeat'> {
  if (repeated === 'once') return {};
  const known = overlapOf(overlap);
  return { mayRepeat: (item) => known.take(evidenceOf(item).map(({ quote }) => plain(quote))) };
}

function allRecords(parts: readonly Extraction[], repeated: Repeated): readonly Verified[] {
  const all: Kept[] = [];
  const index = createRecordIndex();
  /** Of the piece before, by the words that prove them. */
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
      // The same thing, of which a part stands in the text that was read twice.
      const shared = keys.proofs.filter(({ quote }) => overlap.includes(quote));
      const again = shared
        .flatMap(({ key }) => before.get(key) ?? [])
        .find((kept) => kept.piece === piece - 1 && !contradict(kept.record, record));
      if (again !== undefined && twice.take(shared.map(({ quote }) => quote))) {
        again.record = mergeValues(again.record, record, { told() {}, ...onlyIn(overlap, repeated) });
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

/** Many: a list of records. Else one, each field by the first place that says it; places that say otherwise are told. */
export function mergeRecords(parts: readonly Extraction[], many: boolean, repeated: Repeated): Merged {
  const rejected = parts.flatMap((part) => part.rejected);
  if (many) {
    const all: Verified = { items: allRecords(parts, repeated) };
    return { data: dataOf(all), evidence: evidenceOf(all).map(shown), rejected };
  }
  let whole: Verified = { fields: {} };
  const told: Joining['told'] = (path, value, proof) => {
    rejected.push({ value: { [path]: value }, reason: `another place says otherwise: "${proof?.quote.slice(0, 200) ?? ''}"` });
  };
  for (const part of parts) {
    const joining = { told, ...onlyIn(plain(part.overlap), repeated) };
    for (const record of part.records) whole = mergeValues(whole, record, joining);
  }
  return { data: dataOf(whole), evidence: evidenceOf(whole).map(shown), rejected };
}
