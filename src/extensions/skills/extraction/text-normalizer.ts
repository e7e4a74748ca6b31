/** Normalizes spelling variants: spaces, quotation marks, dashes, invisible characters, digits. */

import { withoutRadicals } from '../../../text/cjk-radicals.ts';

/** Invisible characters: soft breaks, direction marks, joiners, and the Arabic tatweel. */
const unseen = /\p{Cf}|\p{Variation_Selector}|\u0640/gu;
const marks: readonly (readonly [RegExp, string])[] = [
  [/[\u2018-\u201b\u2032\u2039\u203a\u02bc`\u00b4]/g, "'"],
  [/[\u201c-\u201f\u2033\u00ab\u00bb]/g, '"'],
  [/[\u2010-\u2015\u2212]/g, '-'],
];

const evenMarks = (text: string): string => marks.reduce((own, [pattern, mark]) => own.replaceAll(pattern, mark), normalizeDigits(text));

/** The zero of each script. Its digits follow in order. */
function digitOf(sign: string): string {
  const point = sign.codePointAt(0) ?? 0;
  let value = 0;
  while (value < 9 && /\p{Nd}/u.test(String.fromCodePoint(point - value - 1))) value++;
  return String(value);
}

/** Converts digits and digit marks of Arabic, Persian, Indian and other scripts to European ones. */
export const normalizeDigits = (text: string): string =>
  text
    .replaceAll(/(?!\d)\p{Nd}/gu, digitOf)
    .replaceAll('\u066b', '.')
    .replaceAll('\u066c', ',');

/** Unifies kinds of spaces, quotation marks and dashes. */
export function plain(text: string): string {
  return evenMarks(withoutRadicals(text).normalize('NFKC')).replaceAll(unseen, '').replaceAll(/\s+/g, ' ').trim();
}

/** Folded text: letters, digits and signs only, with their original indexes. */
export interface FoldedText {
  readonly text: string;
  /** For each character the start and end index in the original text. */
  readonly from: readonly number[];
  readonly to: readonly number[];
}

function kept(all: FoldedText, isKept: (sign: string, at: number) => boolean): FoldedText {
  let text = '';
  const from: number[] = [];
  const to: number[] = [];
  for (let at = 0; at < all.text.length; at++) {
    const sign = all.text[at] as string;
    if (!isKept(sign, at)) continue;
    text += sign;
    from.push(all.from[at] as number);
    to.push(all.to[at] as number);
  }
  return { text, from, to };
}

const letter = /[\p{L}\p{M}]/u;

/** A cache: a document has few distinct characters. */
const foldedCharacters = new Map<string, string>();
const mostFoldedCharacters = 20_000;

/** The folded form of a character; empty for one without meaning. */
function foldCharacter(sign: string): string {
  const known = foldedCharacters.get(sign);
  if (known !== undefined) return known;
  const own = evenMarks(withoutRadicals(sign).normalize('NFKD')).toLowerCase().replaceAll(unseen, '').replaceAll(/\s/g, '');
  if (foldedCharacters.size < mostFoldedCharacters) foldedCharacters.set(sign, own);
  return own;
}

/** Folds case, line breaks and hyphenation. Some scripts break lines without a space. */
export function foldText(given: string): FoldedText {
  let text = '';
  const from: number[] = [];
  const to: number[] = [];
  let at = 0;
  for (const sign of given) {
    const own = foldCharacter(sign);
    for (let index = 0; index < own.length; index++) {
      from.push(at);
      to.push(at + sign.length);
    }
    text += own;
    at += sign.length;
  }
  const isInWord = (place: number): boolean => letter.test(text[place - 1] ?? '') && letter.test(text[place + 1] ?? '');
  return kept({ text, from, to }, (sign, place) => sign !== '-' || !isInWord(place));
}

const punctuation = /[*_~#|>\\"'.,;:!?()[\]{}\u2022\u00b7\u3001\u3002]/;

/** Removes punctuation, Markdown marks and table lines. */
export const withoutPunctuation = (all: FoldedText): FoldedText =>
  kept(all, (sign, at) => (sign === '-' ? /\p{N}/u.test(all.text[at + 1] ?? '') : !punctuation.test(sign)));
