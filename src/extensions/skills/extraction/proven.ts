/** What a model says that a document says, value by value, with the words that prove each. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { quoteFor, quotesByPath, within } from './paths.ts';
import { supportOf, type TextKind } from './quotes.ts';
import type { Reading } from './reading.ts';
import { plain } from './writing.ts';

export interface Proof {
  /** As the document has it. */
  readonly quote: string;
  /** Page and heading. */
  readonly source: string;
  /** Whether the value itself stands in the quote; false for what it means, such as a date or a yes. */
  readonly exact: boolean;
}
export interface Rejected {
  readonly value: Json;
  readonly reason: string;
}

/** Data in which every value is proven. */
export type Proven =
  | { readonly value: Json; readonly norm: string; readonly proof: Proof }
  | { readonly fields: Readonly<Record<string, Proven>> }
  | { readonly items: readonly Proven[] };

/** One record as the model gave it; quotes by path, such as `lines[0].price`. */
export interface Found {
  readonly data: JsonObject;
  readonly quotes: Readonly<Record<string, string>>;
}

/** Texts are the same in any layout; large and small letters may tell two things apart. */
const normOf = (value: Json): string => JSON.stringify(typeof value === 'string' ? plain(value) : value);

export interface Proving {
  readonly reading: Reading;
  /** What kind of text is wanted at a path. */
  readonly kindOf: (path: string) => TextKind;
}

/** Null if nothing of it is proven; what is not, goes to `rejected`. */
export function prove({ data, quotes: given }: Found, { reading, kindOf }: Proving, rejected: Rejected[]): Proven | null {
  const quotes = quotesByPath(given);

  /** `near`: where other words stand that prove the same thing. */
  const proveValue = (value: Json, path: string, near: number | undefined): Proven | null => {
    const refuse = (reason: string): null => {
      rejected.push({ value: { [path]: value }, reason });
      return null;
    };
    const { quote, own } = quoteFor(path, quotes);
    if (quote === '') return refuse('no quote was given');
    const passage = reading.find(quote, near);
    if (passage === null) return refuse(`the document does not say "${quote.slice(0, 200)}"`);
    const { words, source } = passage;
    const support = supportOf(value, words, kindOf(path));
    // Words for a whole line say of one value in it only what stands there.
    if (support === 'none' || (!own && support === 'implied' && typeof value !== 'boolean'))
      return refuse(`"${words.slice(0, 200)}" does not say it`);
    return { value, norm: normOf(value), proof: { quote: words, source, exact: support === 'exact' } };
  };

  /** Words that stand in one place tell where others do that stand in many. */
  const anchorIn = (value: JsonObject, path: string): number | undefined => {
    for (const [key, each] of Object.entries(value)) {
      if (each === null || typeof each === 'object') continue;
      const { quote } = quoteFor(within(path, key), quotes);
      const passage = quote === '' ? null : reading.find(quote);
      if (passage?.isOnly === true) return passage.at;
    }
    return undefined;
  };

  const walk = (value: Json, path: string, near?: number): Proven | null => {
    if (value === null) return null;
    if (Array.isArray(value)) {
      const items = value.flatMap((each: Json, index) => walk(each, `${path}[${index}]`, near) ?? []);
      return items.length === 0 ? null : { items };
    }
    if (!isJsonObject(value)) return proveValue(value, path, near);
    const here = anchorIn(value, path) ?? near;
    const fields = Object.entries(value).flatMap(([key, each]): [string, Proven][] => {
      const proven = walk(each as Json, within(path, key), here);
      return proven === null ? [] : [[key, proven]];
    });
    return fields.length === 0 ? null : { fields: Object.fromEntries(fields) };
  };
  return walk(data, '');
}

/** True if all that `part` says is said by `whole`: the same thing, cut by the end of a piece. */
export function isWithin(part: Proven, whole: Proven): boolean {
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
  told(path: string, other: Json, proof: Proof | null): void;
  /** Whether an item of a list may be one that was read before; unless given, equal items are always one. */
  mayRepeat?(item: Proven): boolean;
}

/** Items of both: what is said already is not said again. */
function joinedItems(one: readonly Proven[], other: readonly Proven[], mayRepeat: Joining['mayRepeat']): readonly Proven[] {
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
    open.delete((larger ?? smaller) as Proven);
    if (smaller !== undefined) items[items.indexOf(smaller)] = item;
    else if (larger === undefined) items.push(item);
  }
  return items;
}

/** Both together. Where they say different things the first counts. */
export function joined(one: Proven, other: Proven, joining: Joining, path = ''): Proven {
  if ('items' in one && 'items' in other) return { items: joinedItems(one.items, other.items, joining.mayRepeat?.bind(joining)) };
  if ('fields' in one && 'fields' in other) {
    const fields: Record<string, Proven> = { ...one.fields };
    for (const [key, each] of Object.entries(other.fields)) {
      const known = Object.hasOwn(fields, key) ? fields[key] : undefined;
      fields[key] = known === undefined ? each : joined(known, each, joining, within(path, key));
    }
    return { fields };
  }
  if (!isWithin(other, one)) joining.told(path, dataOf(other), 'value' in other ? other.proof : null);
  return one;
}

export function dataOf(proven: Proven): Json {
  if ('value' in proven) return proven.value;
  if ('items' in proven) return proven.items.map(dataOf);
  return Object.fromEntries(Object.entries(proven.fields).map(([key, each]) => [key, dataOf(each)]));
}

export type Evidence = { readonly path: string; readonly norm: string } & Proof;

export function evidenceOf(proven: Proven, path = ''): readonly Evidence[] {
  if ('value' in proven) return [{ path, norm: proven.norm, ...proven.proof }];
  if ('items' in proven) return proven.items.flatMap((each, index) => evidenceOf(each, `${path}[${index}]`));
  return Object.entries(proven.fields).flatMap(([key, each]) => evidenceOf(each, within(path, key)));
}
