/** Data whose values are all verified by quotes. */
import type { Json } from '../../../types/json.ts';
import { within } from './value-paths.ts';

export interface QuoteEvidence {
  /** The quote with the exact text of the document. */
  readonly quote: string;
  /** Page and heading. */
  readonly source: string;
  /** True when the value occurs in the quote; false when the quote implies it, such as a date or a yes. */
  readonly exact: boolean;
}
export interface Rejected {
  readonly value: Json;
  readonly reason: string;
}

/** Data whose values are all verified. */
export type Verified =
  | { readonly value: Json; readonly norm: string; readonly proof: QuoteEvidence }
  | { readonly fields: Readonly<Record<string, Verified>> }
  | { readonly items: readonly Verified[] };

export function dataOf(proven: Verified): Json {
  if ('value' in proven) return proven.value;
  if ('items' in proven) return proven.items.map(dataOf);
  return Object.fromEntries(Object.entries(proven.fields).map(([key, each]) => [key, dataOf(each)]));
}

export type Evidence = { readonly path: string; readonly norm: string } & QuoteEvidence;

export function evidenceOf(proven: Verified, path = ''): readonly Evidence[] {
  if ('value' in proven) return [{ path, norm: proven.norm, ...proven.proof }];
  if ('items' in proven) return proven.items.flatMap((each, index) => evidenceOf(each, `${path}[${index}]`));
  return Object.entries(proven.fields).flatMap(([key, each]) => evidenceOf(each, within(path, key)));
}
