/** Words that a model says it has read, looked up in what it was given to read. */
import type { Json } from '../../../types/json.ts';
import { placeOf, type Section } from '../documents/section.ts';

/** Breaks of lines, kinds of spaces and of quotation marks are the layout's, not the words'. */
export function plain(text: string): string {
  return text
    .normalize('NFKC')
    .replaceAll(/[\u2018\u2019\u201a\u2032]/g, "'")
    .replaceAll(/[\u201c\u201d\u201e\u2033\u00ab\u00bb]/g, '"')
    .replaceAll(/[\u2010-\u2015\u2212]/g, '-')
    .replaceAll(/\u00ad/g, '')
    .replaceAll(/-\n(?=\p{Ll})/gu, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

const plainTexts = new WeakMap<Section, string>();
function plainOf(section: Section): string {
  let text = plainTexts.get(section);
  if (text === undefined) {
    text = plain(section.text);
    plainTexts.set(section, text);
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
    const own = plainOf(section);
    // A word that is divided between two pages.
    if (/\p{L}-$/u.test(text) && /^\p{Ll}/u.test(own)) text = text.slice(0, -1);
    else if (text !== '') text += ' ';
    starts.push({ at: text.length, section });
    text += own;
  }
  return {
    placeOf(quote) {
      const words = plain(quote);
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
  const parts = run.split(/[^\d]+/);
  const whole = Number(parts.join(''));
  // A date, or a list: each for itself.
  if (parts.length > 2 && parts.slice(1, -1).some((part) => part.length !== 3)) return [whole, ...parts.map(Number)];
  return parts.length === 1 ? [whole] : [whole, Number(`${parts.slice(0, -1).join('')}.${parts.at(-1)}`)];
}

/** `exact`: the value itself stands in the words. `implied`: nothing there speaks against it. */
export type Support = 'exact' | 'implied' | 'none';

function numberSupport(value: number, words: string): Support {
  const runs = [...words.matchAll(/\d{1,3}(?: \d{3})+(?:[.,]\d+)?|\d+(?:[.,']\d+)*/g)].map(([run]) => run);
  // Words such as "three" are believed; digits that are there must be these.
  if (runs.length === 0) return 'implied';
  if (runs.some((run) => readings(run).includes(Math.abs(value)))) return 'exact';
  const own = significant(String(Math.abs(value)));
  return scales.test(words) && runs.some((run) => significant(run) === own) ? 'implied' : 'none';
}

/** How far the words of a quote, which stand in the document, say the value. */
export function supportOf(value: Json, quote: string): Support {
  const words = plain(quote);
  if (typeof value === 'number') return numberSupport(value, words);
  if (typeof value !== 'string') return 'implied';
  return words.toLowerCase().includes(plain(value).toLowerCase()) ? 'exact' : 'implied';
}
