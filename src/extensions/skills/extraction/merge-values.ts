/** Merges what two chunks of a document say about one record. */
import type { Json } from '../../../types/json.ts';
import { within } from './value-paths.ts';
import { dataOf, type QuoteEvidence, type Verified } from './verified-data.ts';

/** True when `whole` contains everything that `part` says: the same record, cut at a chunk boundary. */
export function isWithin(part: Verified, whole: Verified): boolean {
  if ('value' in part) return 'value' in whole && part.norm === whole.norm;
  if ('items' in part) return 'items' in whole && part.items.every((item) => whole.items.some((other) => isWithin(item, other)));
  return (
    'fields' in whole &&
    Object.entries(part.fields).every(([key, each]) => {
      const other = Object.hasOwn(whole.fields, key) ? whole.fields[key] : undefined;
      return other !== undefined && isWithin(each, other);
    })
  );
}

export interface Joining {
  /** Called with each value of `other` that contradicts `one`. */
  onContradiction(path: string, other: Json, proof: QuoteEvidence | null): void;
  /** True when a list item may have been read before. By default equal items are one item. */
  mayRepeat?(item: Verified): boolean;
}

/** The items of both lists without duplicates. */
function joinedItems(one: readonly Verified[], other: readonly Verified[], mayRepeat: Joining['mayRepeat']): readonly Verified[] {
  const items = [...one];
  // With `each`, one earlier item accounts for one repeated item.
  const open = new Set(one);
  for (const item of other) {
    if (mayRepeat !== undefined && !mayRepeat(item)) {
      items.push(item);
      continue;
    }
    const known = mayRepeat === undefined ? items : [...open];
    const larger = known.find((each) => isWithin(item, each));
    const smaller = larger === undefined ? known.find((each) => isWithin(each, item)) : undefined;
    open.delete((larger ?? smaller) as Verified);
    if (smaller !== undefined) items[items.indexOf(smaller)] = item;
    else if (larger === undefined) items.push(item);
  }
  return items;
}

/** Merges both. On a contradiction the first value counts. */
export function mergeValues(one: Verified, other: Verified, joining: Joining, path = ''): Verified {
  if ('items' in one && 'items' in other) return { items: joinedItems(one.items, other.items, joining.mayRepeat?.bind(joining)) };
  if ('fields' in one && 'fields' in other) {
    const fields: Record<string, Verified> = { ...one.fields };
    for (const [key, each] of Object.entries(other.fields)) {
      const known = Object.hasOwn(fields, key) ? fields[key] : undefined;
      fields[key] = known === undefined ? each : mergeValues(known, each, joining, within(path, key));
    }
    return { fields };
  }
  if (!isWithin(other, one)) joining.onContradiction(path, dataOf(other), 'value' in other ? other.proof : null);
  return one;
}
