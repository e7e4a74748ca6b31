/** Words that a model says it has read, looked up in what it was given to read. */
import type { Json } from '../../../types/json.ts';
import { placeOf, type Section } from '../documents/section.ts';

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

const scales = /%|‰|per ?cent|hundred|thousand|million|billion|trillion|\b(k|m|mn|bn|mio|mrd|tsd)\b|[kmb]\b|[百千万萬亿億兆]/i;
const significant = (digits: string): string => digits.replaceAll(/\D/g, '').replaceAll(/^0+|0+$/g, '');

/** The numbers that a run of digits and marks may mean: marks may group, and the last may be the decimal one. */
function readings(run: string): number[] {
  const fraction = /^(?:(\d+) )?(\d+)[/\u2044](\d+)$/.exec(run);
  if (fraction !== null) {
    const [, whole = '0', over = '', under = ''] = fraction;
    return [Number(whole) + Number(over) / Number(under), ...[whole, over, under].map(Number)];
  }
  const parts = run.split(/[^\d]+/);
  const whole = Number(parts.join(''));
  // A date, or a list: each for itself.
  if (parts.length > 2 && parts.slice(1, -1).some((part) => part.length !== 3)) return [whole, ...parts.map(Number)];
  return parts.length === 1 ? [whole] : [whole, Number(`${parts.slice(0, -1).join('')}.${parts.at(-1)}`)];
}

/** `exact`: the value itself stands in the words. `implied`: nothing there speaks against it, and something for it. */
export type Support = 'exact' | 'implied' | 'none';

const runsOf = (words: string): string[] =>
  [...words.matchAll(/(?:\d+ )?\d+[/\u2044]\d+(?![/\d])|\d{1,3}(?: \d{3})+(?:[.,]\d+)?|\d+(?:[.,']\d+)*/g)].map(([run]) => run);

function numberSupport(value: number, words: string): Support {
  const runs = runsOf(words);
  // Words such as "three" are believed; digits that are there must be these.
  if (runs.length === 0) return /\p{L}/u.test(words) ? 'implied' : 'none';
  if (runs.some((run) => readings(run).includes(Math.abs(value)))) return 'exact';
  const own = significant(String(Math.abs(value)));
  return scales.test(words) && runs.some((run) => significant(run) === own) ? 'implied' : 'none';
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
  // Broken by the layout in the middle of a word.
  return own.length >= 6 && letters(said).includes(letters(own));
}

function textSupport(value: string, words: string, isFree: boolean): Support {
  const [own, said] = [plain(value).toLowerCase(), words.toLowerCase()];
  if (own !== '' && standsIn(own, said)) return 'exact';
  if (!isFree) return 'implied';
  const parts = partsOf(own);
  const known = new Set(partsOf(said));
  const found = parts.filter((part) => known.has(part)).length;
  return parts.length > 0 && found * 2 >= parts.length ? 'implied' : 'none';
}

/**
 * How far the words of a quote, which stand in the document, say the value. `isFree`: the value is a text in any words; else it is one of a few, a
 * date or the like, for which documents have words of their own.
 */
export function supportOf(value: Json, quote: string, isFree = true): Support {
  const words = plain(quote);
  if (typeof value === 'number') return numberSupport(value, words);
  return typeof value === 'string' ? textSupport(value, words, isFree) : 'implied';
}
