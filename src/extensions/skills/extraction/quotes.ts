/** Words that a model says it has read, looked up in what it was given to read. */
import type { Json } from '../../../types/json.ts';
import { placeOf, type Section } from '../documents/section.ts';
import { numberSupport, type Support } from './numbers.ts';

/** Kinds of spaces, quotation marks and dashes are the layout's, not the words'. */
export function plain(text: string): string {
  return text
    .normalize('NFKC')
    .replaceAll(/[\u2018\u2019\u201a\u2032]/g, "'")
    .replaceAll(/[\u201c\u201d\u201e\u2033\u00ab\u00bb]/g, '"')
    .replaceAll(/[\u2010-\u2015\u2212]/g, '-')
    .replaceAll(/\u00ad/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

/** Nor are breaks of lines, which some scripts write without a space and others within a word, by a hyphen. */
function letters(text: string): string {
  return plain(text)
    .replaceAll(' ', '')
    .replaceAll(/(?<=\p{L})-(?=\p{L})/gu, '');
}

const lettersOf = new WeakMap<Section, string>();
function lettersIn(section: Section): string {
  let text = lettersOf.get(section);
  if (text === undefined) {
    text = letters(section.text);
    lettersOf.set(section, text);
  }
  return text;
}

export interface Reading {
  /** Where the words stand, for people; null if nowhere in what was read. */
  placeOf(quote: string): string | null;
}

/** Some sections as one text, for words may run on from one page to the next. */
export function readingOf(sections: readonly Section[], numbers: readonly number[]): Reading {
  const starts: { readonly at: number; readonly section: Section }[] = [];
  let text = '';
  for (const number of numbers) {
    const section = sections[number - 1] as Section;
    const own = lettersIn(section);
    // A word that is divided between two pages.
    if (/\p{L}-$/u.test(text) && /^\p{L}/u.test(own)) text = text.slice(0, -1);
    starts.push({ at: text.length, section });
    text += own;
  }
  return {
    placeOf(quote) {
      const words = letters(quote);
      const at = words === '' ? -1 : text.indexOf(words);
      const found = at === -1 ? undefined : starts.findLast((each) => each.at <= at);
      return found === undefined ? null : placeOf(found.section);
    },
  };
}

/** Words, numbers without leading zeros, and each sign of a script that has no spaces. */
const partsOf = (text: string): string[] =>
  [...text.matchAll(/\d+|[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|[\p{L}\p{M}]+/gu)].map(([part]) =>
    part.replace(/^0+(?=\d)/, ''),
  );

/** Not as a part of a longer word or number. */
function standsIn(own: string, said: string): boolean {
  const joins = /[\p{L}\p{N}]/u;
  const scripts = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;
  const isWithin = (outside: string, inside: string): boolean =>
    joins.test(outside) && joins.test(inside) && !scripts.test(outside + inside);
  for (let at = said.indexOf(own); at !== -1; at = said.indexOf(own, at + 1)) {
    const end = at + own.length;
    if (!isWithin(said.slice(0, at).at(-1) ?? '', own.slice(0, 1)) && !isWithin(said[end] ?? '', own.slice(-1))) return true;
  }
  return own.length >= 6 && brokenIn(letters(own), letters(said));
}

/** Broken by the layout in the middle of a word; what is left and right of it can no longer be told apart, but for digits. */
function brokenIn(own: string, said: string): boolean {
  for (let at = said.indexOf(own); at !== -1; at = said.indexOf(own, at + 1)) {
    const joins = /\d\d/.test((said[at - 1] ?? '') + own.slice(0, 1)) || /\d\d/.test(own.slice(-1) + (said[at + own.length] ?? ''));
    if (!joins) return true;
  }
  return false;
}

/** In any words, of a few, or a moment: for the last two documents have words of their own. */
export type TextKind = 'free' | 'choice' | 'moment';

/** In any words: two thirds of them, and each number. */
function freeSupport(own: string, said: string): Support {
  const parts = partsOf(own);
  const known = new Set(partsOf(said));
  const found = parts.filter((part) => known.has(part)).length;
  const hasNumbers = parts.every((part) => !/\d/.test(part) || known.has(part));
  return parts.length > 0 && hasNumbers && found * 3 >= parts.length * 2 ? 'implied' : 'none';
}

/** Where there are digits, a year that is said must be this one, and of the shorter numbers one. */
function momentSupport(own: string, said: string): Support {
  const numbers = (text: string): string[] => partsOf(text).filter((part) => /^\d/.test(part));
  const mine = new Set(numbers(own));
  const years = numbers(said).filter((part) => part.length === 4);
  const others = numbers(said).filter((part) => part.length < 4);
  const hasOne = (all: readonly string[]): boolean => all.length === 0 || all.some((part) => mine.has(part));
  return hasOne(years) && hasOne(others) ? 'implied' : 'none';
}

/** Many schemas want a date and say only that it is a text. */
const isoDate = /^\d{4}-\d\d-\d\d(t[\d:.]+(z|[+-][\d:]+)?)?$/;

function textSupport(value: string, words: string, kind: TextKind): Support {
  const [own, said] = [plain(value).toLowerCase(), words.toLowerCase()];
  if (own !== '' && standsIn(own, said)) return 'exact';
  if (kind === 'choice') return 'implied';
  return kind === 'moment' || isoDate.test(own) ? momentSupport(own, said) : freeSupport(own, said);
}

/** How far the words of a quote, which stand in the document, say the value. */
export function supportOf(value: Json, quote: string, kind: TextKind = 'free'): Support {
  if (typeof value === 'number') return numberSupport(value, quote);
  return typeof value === 'string' ? textSupport(value, plain(quote), kind) : 'implied';
}
