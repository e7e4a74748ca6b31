/** Verifies the records of a model value by value against quotes in the document. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { quoteFor, quotesByPath, within } from './value-paths.ts';
import type { Verified, Rejected } from './verified-data.ts';
import { supportOf, type TextKind } from './quote-verifier.ts';
import type { Reading } from './source-index.ts';
import { plain } from './text-normalizer.ts';

/** One record of the model; quotes by path, such as `lines[0].price`. */
export interface Found {
  readonly data: JsonObject;
  readonly quotes: Readonly<Record<string, string>>;
}

/** Equal texts in any layout. Case is kept: it may distinguish two things. */
const normOf = (value: Json): string => JSON.stringify(typeof value === 'string' ? plain(value) : value);

export interface VerifyContext {
  readonly reading: Reading;
  /** The kind of text at a path. */
  readonly kindOf: (path: string) => TextKind;
}

/** Null when nothing is verified. Values without evidence are added to `rejected`. */
export function verifyRecord({ data, quotes: given }: Found, { reading, kindOf }: VerifyContext, rejected: Rejected[]): Verified | null {
  const quotes = quotesByPath(given);

  /** `near`: the position of another quote for the same record. */
  const proveValue = (value: Json, path: string, near: number | undefined): Verified | null => {
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
    // A quote of a whole line supports a value in it only where the value occurs.
    if (support === 'none' || (!own && support === 'implied' && typeof value !== 'boolean'))
      return refuse(`"${words.slice(0, 200)}" does not say it`);
    return { value, norm: normOf(value), proof: { quote: words, source, exact: support === 'exact' } };
  };

  /** Unique quotes locate the ambiguous ones. */
  const anchorIn = (value: JsonObject, path: string): number | undefined => {
    for (const [key, each] of Object.entries(value)) {
      if (each === null || typeof each === 'object') continue;
      const { quote } = quoteFor(within(path, key), quotes);
      const passage = quote === '' ? null : reading.find(quote);
      if (passage?.isOnly === true) return passage.at;
    }
    return undefined;
  };

  const walk = (value: Json, path: string, near?: number): Verified | null => {
    if (value === null) return null;
    if (Array.isArray(value)) {
      const items = value.flatMap((each: Json, index) => walk(each, `${path}[${index}]`, near) ?? []);
      return items.length === 0 ? null : { items };
    }
    if (!isJsonObject(value)) return proveValue(value, path, near);
    const here = anchorIn(value, path) ?? near;
    const fields = Object.entries(value).flatMap(([key, each]): [string, Verified][] => {
      const proven = walk(each as Json, within(path, key), here);
      return proven === null ? [] : [[key, proven]];
    });
    return fields.length === 0 ? null : { fields: Object.fromEntries(fields) };
  };
  return walk(data, '');
}
