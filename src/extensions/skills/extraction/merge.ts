/** What was found in the pieces of a document, put together: nothing twice because it was read twice, nothing lost where it was cut. */
import type { Json } from '../../../types/json.ts';
import { dataOf, type Evidence, evidenceOf, isWithin, joined, type Proven, type Rejected } from './proven.ts';
import { plain } from './quotes.ts';

/** Of one piece. */
export interface Extraction {
  readonly records: readonly Proven[];
  readonly rejected: readonly Rejected[];
  /** What the piece repeats of the one before it. */
  readonly overlap: string;
}

/** `once`: what several places say is one record. `each`: every place counts, but for what was read twice. */
export type Repeated = 'once' | 'each';

export interface Merged {
  readonly data: Json;
  readonly evidence: readonly Evidence[];
  readonly rejected: readonly Rejected[];
}

/** True if both are the same thing, of which a part stands in the text that was read twice. */
function isReadTwice(one: Proven, other: Proven, overlap: string): boolean {
  if (overlap === '') return false;
  let contradicts = false;
  joined(one, other, () => (contradicts = true));
  if (contradicts) return false;
  const known = new Map(evidenceOf(one).map(({ path, quote }) => [path, plain(quote)]));
  return evidenceOf(other).some(({ path, quote }) => known.get(path) === plain(quote) && overlap.includes(plain(quote)));
}

interface Kept {
  record: Proven;
  /** The last piece that holds it. */
  piece: number;
}

function allRecords(parts: readonly Extraction[], repeated: Repeated): readonly Proven[] {
  const kept: Kept[] = [];
  for (const [piece, part] of parts.entries()) {
    const overlap = plain(part.overlap);
    const before = kept.filter((each) => each.piece === piece - 1);
    for (const record of part.records) {
      const again = before.findIndex((each) => isReadTwice(each.record, record, overlap));
      if (again !== -1) {
        const [same] = before.splice(again, 1) as [Kept];
        same.record = joined(same.record, record, () => {});
        same.piece = piece;
        continue;
      }
      if (repeated === 'once') {
        if (kept.some((each) => isWithin(record, each.record))) continue;
        const smaller = kept.find((each) => isWithin(each.record, record));
        if (smaller !== undefined) {
          smaller.record = record;
          continue;
        }
      }
      kept.push({ record, piece });
    }
  }
  return kept.map(({ record }) => record);
}

/** Many: a list of records. Else one, each field by the first place that says it; places that say otherwise are told. */
export function merged(parts: readonly Extraction[], many: boolean, repeated: Repeated): Merged {
  const rejected = parts.flatMap((part) => part.rejected);
  if (many) {
    const all: Proven = { items: allRecords(parts, repeated) };
    return { data: dataOf(all), evidence: evidenceOf(all), rejected };
  }
  let whole: Proven = { fields: {} };
  for (const record of parts.flatMap((part) => part.records))
    whole = joined(whole, record, (path, value, proof) => {
      rejected.push({ value: { [path]: value }, reason: `another place says otherwise: "${proof?.quote.slice(0, 200) ?? ''}"` });
    });
  return { data: dataOf(whole), evidence: evidenceOf(whole), rejected };
}
