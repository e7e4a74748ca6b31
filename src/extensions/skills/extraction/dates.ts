/** Recognises dates in the text of documents. */
import type { Support } from './numbers.ts';
import { datesInDigits } from './number-words.ts';

/** Short month names in English and German only: in other languages some are also common words, such as `set`, `out` and `des`. */
const languages = [
  ['en', 'long'], ['en', 'short'], ['de', 'long'], ['de', 'short'], ['fr', 'long'], ['es', 'long'], ['it', 'long'], ['nl', 'long'],
  ['pt', 'long'], ['pl', 'long'], ['sv', 'long'], ['da', 'long'], ['ru', 'long'], ['tr', 'long'], ['id', 'long'], ['ar', 'long'],
] as const; // prettier-ignore

/** Month names in lower case with the number of the month, from 1. */
function monthNames(): ReadonlyMap<string, number> {
  const names = new Map<string, number>([['sept', 9]]);
  for (const [language, month] of languages) {
    // A month name may be inflected beside a day.
    for (const day of [{}, { day: 'numeric' }] as const) {
      const format = new Intl.DateTimeFormat(language, { ...day, month, timeZone: 'UTC' });
      for (let at = 0; at < 12; at++) {
        const name = format.formatToParts(Date.UTC(2024, at, 15)).find(({ type }) => type === 'month')?.value ?? '';
        names.set(name.normalize('NFKC').toLowerCase().replace(/\.$/, ''), at + 1);
      }
    }
  }
  return names;
}

/** Built for the first date. */
let months: ReadonlyMap<string, number> | null = null;

const isBeside = (before: string, after: string): boolean =>
  /\d\p{L}{0,2}[\s.,]*((de|of)\s+)?$/u.test(before) || /^[\s.,]*((de|of)\s+)?\d/.test(after);

/** Months named beside a day or a year. A bare `may` is not a month. */
function monthsIn(said: string): readonly number[] {
  months ??= monthNames();
  const names = months;
  return [...said.matchAll(/[\p{L}\p{M}]+/gu)].flatMap(({ 0: word, index }) => {
    const month = names.get(word);
    const end = index + word.length;
    return month !== undefined && isBeside(said.slice(Math.max(0, index - 12), index), said.slice(end, end + 12)) ? [month] : [];
  });
}

const parts = /^(\d{4})-(\d\d)-(\d\d)/;
const numbersIn = (text: string): readonly number[] => [...text.matchAll(/\d+/g)].map(([digits]) => Number(digits));

/** How far `words` support the date `own`; both in lower case. `equal`: the words state this day. `implied`: a year, a month and two short numbers in the words do not contradict it. */
export function dateSupport(own: string, words: string): Support {
  const said = datesInDigits(words);
  const mine = new Set(numbersIn(own));
  const all = numbersIn(said);
  const years = [...said.matchAll(/(?<!\d)\d{4}(?!\d)/g)].map(([digits]) => Number(digits));
  const others = all.filter((number) => number < 1_000);
  const hasOne = (some: readonly number[]): boolean => some.length === 0 || some.some((number) => mine.has(number));
  if (!hasOne(years) || !hasOne(others)) return 'none';
  const [year, month, day] = (parts.exec(own) ?? []).slice(1).map(Number);
  if (year === undefined || month === undefined || day === undefined || !years.includes(year)) return 'implied';
  const named = monthsIn(said);
  if (named.includes(month)) return others.includes(day) ? 'equal' : 'implied';
  // All in digits: the day and the month are next to the year.
  if (others.includes(day) && (day === month ? others.filter((number) => number === day).length > 1 : others.includes(month)))
    return 'equal';
  const isOther = named.length > 0 ? !others.includes(month) : others.length === 2 && /\d[./-]\d|[年月日]/.test(said);
  return isOther ? 'none' : 'implied';
}
