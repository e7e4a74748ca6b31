/** Finds the numbers in the text of a document, in the notations of several countries. */

import { isUnsupportedNumberWord, numbersInWords } from './number-words.ts';
import { normalizeDigits } from './text-normalizer.ts';

/** `exact`: the words contain the value. `equal`: they contain it in another notation. `implied`: something in the words supports it and nothing contradicts it. */
export type Support = 'exact' | 'equal' | 'implied' | 'none';

interface NumberInText {
  /** The readings of one digit sequence: a mark may group digits or be the decimal mark. */
  readonly values: readonly number[];
  readonly isNegative: boolean;
}

/** Rewrites fractions, drops footnote marks and powers, and turns group-only spaces into group marks. */
function readable(words: string): string {
  return normalizeDigits(words)
    .replaceAll(/[\u00bc-\u00be\u2150-\u215e]/g, ' $&')
    .replaceAll(/[\u00b9\u00b2\u00b3\u2070\u2074-\u2079]+/g, ' ')
    .replaceAll(/(?<=\d)[\u00a0\u202f\u2009](?=\d{3}(?!\d))/g, "'")
    .normalize('NFKC')
    .replaceAll(/\u2212/g, '-')
    .replaceAll(/\u2019/g, "'")
    .replaceAll(/\s+/g, ' ');
}

const grouped = /^[1-9]\d{0,2}([.,'])\d{3}(?:\1\d{3})*$|^[1-9]\d?(?:,\d{2})+,\d{3}$/;
const digits = (text: string): number => Number(text.replaceAll(/\D/g, ''));

/** The readings of digits and marks without spaces. */
function readings(run: string): number[] {
  const parts = run.split(/[.,']/);
  if (parts.length === 1) return [Number(run)];
  const last = parts.at(-1) ?? '';
  const head = run.slice(0, -last.length - 1);
  const mark = run[head.length] ?? '';
  const found = grouped.test(run) ? [digits(run)] : [];
  if (mark !== "'" && (parts.length === 2 || (grouped.test(head) && !head.includes(mark)))) found.push(Number(`${digits(head)}.${last}`));
  // A date, a version or a list: each part is a number.
  return found.length > 0 ? found : parts.map(Number);
}

/** More groups than this are table cells, not one number. */
const mostGroups = 8;

/** Groups separated by spaces are one number or several table cells. */
function together(runs: readonly string[]): number[] {
  const found: number[] = [];
  for (let from = 0; from < runs.length; from++) {
    let joinedRun = runs[from] ?? '';
    if (!/^[1-9]\d{0,2}$/.test(joinedRun)) continue;
    for (const next of runs.slice(from + 1, from + mostGroups)) {
      const [, group = '', rest = ''] = /^(\d{3})((?:[.,]\d+)?)$/.exec(next) ?? [];
      if (group === '') break;
      joinedRun += group;
      found.push(Number(joinedRun + rest.replace(',', '.')));
      if (rest !== '') break;
    }
  }
  return found;
}

const mostRuns = 2_000;

function numbersIn(words: string): NumberInText[] {
  const found: NumberInText[] = [];
  const all = words.matchAll(/(?:(\d+) )?(\d+)[/\u2044](\d+)(?![/\d])|\d+(?:[.,']\d+)*(?: \d+(?:[.,']\d+)*)*/g);
  for (const { 0: run, 1: whole, 2: over, 3: under, index } of all.take(mostRuns)) {
    const isNegative = /(^|[^\p{L}\p{N}])-[$\u20ac\u00a3\u00a5]?$|\((?:[$\u20ac\u00a3\u00a5] ?)?$/u.test(
      words.slice(Math.max(0, index - 4), index),
    );
    if (over !== undefined && under !== undefined) {
      const fraction = Number(whole ?? 0) + Number(over) / Number(under);
      found.push({ values: [fraction, ...[whole ?? '', over, under].filter((part) => part !== '').map(Number)], isNegative });
      continue;
    }
    const runs = run.split(' ');
    found.push({ values: [...readings(runs[0] ?? ''), ...together(runs)], isNegative });
    for (const next of runs.slice(1)) found.push({ values: readings(next), isNegative: false });
  }
  return found;
}

/** The number that a text states, with or without a currency. Null when the text can be read in several ways. */
export function numberIn(text: string): number | null {
  if (!/^[-\u2212(]?\p{Sc}?\s*[-\u2212]?[\p{Nd}.,'\u2019\s]+\p{Sc}?\)?$/u.test(text)) return null;
  const [only, ...others] = numbersIn(readable(text));
  const [value, ...more] = new Set(only?.values);
  if (only === undefined || value === undefined || others.length > 0 || more.length > 0) return null;
  // A sign anywhere in the text belongs to the number.
  return /[-\u2212(]/.test(text) ? -value : value;
}

const scales = /%|‰|per ?cent|hundred|thousand|million|billion|trillion|\b(k|m|mn|bn|mio|mrd|tsd)\b|[kmb]\b|[百千万萬亿億兆]/i;
const factors = [1e-3, 1e-2, 1e2, 1e3, 1e4, 1e6, 1e8, 1e9, 1e12];
const units: Readonly<Record<string, number>> = { 十: 10, 百: 100, 千: 1e3, 万: 1e4, 萬: 1e4, 亿: 1e8, 億: 1e8, 兆: 1e12 };

/** Parses such as `1億2000万`. */
function scaledIn(words: string): number[] {
  const runs = words.replaceAll(/(?<=\d)[,'](?=\d{3})/g, '').matchAll(/(?:\d+(?:\.\d+)?[十百千万萬亿億兆]+)+\d*/g);
  return [...runs].map(([run]) => {
    let [total, section] = [0, 0];
    for (const [, number = '0', marks = ''] of run.matchAll(/(\d+(?:\.\d+)?)([十百千万萬亿億兆]*)/g)) {
      let value = Number(number);
      for (const mark of marks) {
        const unit = units[mark] ?? 1;
        if (unit < 1e4) value *= unit;
        else {
          total += (section + value) * unit;
          [section, value] = [0, 0];
        }
      }
      section += value;
    }
    return total + section;
  });
}

const isNear = (one: number, other: number): boolean => Math.abs(one - other) <= Math.abs(other) * 1e-12;

/** How far the words support a number. Digits in the words must match. A missing sign or scale is trusted. */
export function numberSupport(value: number, given: string): Support {
  const words = readable(given);
  const own = Math.abs(value);
  const said = numbersIn(words);
  const same = said.filter(({ values }) => values.some((each) => isNear(each, own)));
  if (same.length > 0) return same.some(({ isNegative }) => isNegative === value < 0) ? 'exact' : 'implied';
  if ([...scaledIn(words), ...numbersInWords(words)].some((each) => isNear(each, own))) return 'implied';
  // Words for zero or one of something.
  const isFew = (own === 0 || own === 1) && /\p{L}/u.test(words);
  if (said.length === 0) return isFew || isUnsupportedNumberWord(words) ? 'implied' : 'none';
  if (!scales.test(words)) return 'none';
  const isScaled = ({ values }: NumberInText): boolean => values.some((each) => factors.some((factor) => isNear(each * factor, own)));
  return said.some(isScaled) ? 'implied' : 'none';
}
