/** What two pieces of a document say of one thing, put together. */
import type { Json } from '../../../types/json.ts';
import { within } from './value-paths.ts';
import { dataOf, type QuoteEvidence, type Verified } from './verified-data.ts';

/** True if all that `part` says is said by `whole`: the same thing, cut by the end of a piece. */
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
  /** Hears what `other` says and `one` says otherwise. */
  told(path: string, other: Json, proof: QuoteEvidence | null): void;
  /** Whether an item of a list may be one that was read before; unless given, equal items are always one. */
  mayRepeat?(item: Verified): boolean;
}

/** Items of both: what is said already is not said again. */
function joinedItems(one: readonly Verified[], other: readonly Verified[], mayRepeat: Joining['mayRepeat']): readonly Verified[] {
  const items = [...one];
  // Where equal items count each, an item that was read before stands for one that is read again.
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

/** Both together. Where they say different things the first counts. */
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
  if (!isWithin(other, one)) joining.told(path, dataOf(other), 'value' in other ? other.proof : null);
  return one;
}
