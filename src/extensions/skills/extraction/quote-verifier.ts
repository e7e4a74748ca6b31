/** Verifies that the words of a quote state a value. */
import type { Json } from '../../../types/json.ts';
import { mentionsOtherCurrency } from './currencies.ts';
import { dateSupport } from './dates.ts';
import { numberIn, numberSupport, type Support } from './numbers.ts';
import { foldText, plain } from './text-normalizer.ts';

/** Tokens: words, numbers without leading zeros, and single characters of scripts without spaces. */
const partsOf = (text: string): string[] =>
  [...text.matchAll(/\d+|[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]|[\p{L}\p{M}]+/gu)].map(
    ([part]) => part.replace(/^0+(?=\d)/, ''),
  );

/** True when the value occurs as a whole word or number. */
function standsIn(own: string, said: string): boolean {
  const joins = /[\p{L}\p{N}]/u;
  const scripts = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]/u;
  const isWithin = (outside: string, inside: string): boolean =>
    joins.test(outside) && joins.test(inside) && !scripts.test(outside + inside);
  for (let at = said.indexOf(own); at !== -1; at = said.indexOf(own, at + 1)) {
    const end = at + own.length;
    if (!isWithin(said.slice(0, at).at(-1) ?? '', own.slice(0, 1)) && !isWithin(said[end] ?? '', own.slice(-1))) return true;
  }
  return own.length >= 6 && brokenIn(foldText(own).text, foldText(said).text);
}

/** Text with layout breaks inside words. Word boundaries are unreliable there, except between digits. */
function brokenIn(own: string, said: string): boolean {
  for (let at = said.indexOf(own); at !== -1; at = said.indexOf(own, at + 1)) {
    const joins = /\d\d/.test((said[at - 1] ?? '') + own.slice(0, 1)) || /\d\d/.test(own.slice(-1) + (said[at + own.length] ?? ''));
    if (!joins) return true;
  }
  return false;
}

/** `free`: any text. `choice`: one of a few values. `moment`: a date or time. Documents word the last two differently. */
export type TextKind = 'free' | 'choice' | 'moment';

/** True when two thirds of the words and every number occur. */
function freeSupport(own: string, said: string): Support {
  const parts = partsOf(own);
  const known = new Set(partsOf(said));
  const found = parts.filter((part) => known.has(part)).length;
  const hasNumbers = parts.every((part) => !/\d/.test(part) || known.has(part));
  return parts.length > 0 && hasNumbers && found * 3 >= parts.length * 2 ? 'implied' : 'none';
}

/** Matches phone, account and customer numbers that are grouped differently. */
function isSameDigits(own: string, said: string): boolean {
  if (!/^\+?[\d\s()/.-]+$/.test(own)) return false;
  const digitsOf = (text: string): string => text.replaceAll('(0)', '').replaceAll(/(?<=[\d+]|^)[\s()/.-]+(?=\d|$)/g, '');
  const digits = digitsOf(own).replaceAll(/\D/g, '');
  return digits.length >= 6 && standsIn(digits, digitsOf(said));
}

/** Many schemas declare a date as a plain string. */
const isoDate = /^\d{4}-\d\d-\d\d(t[\d:.]+(z|[+-][\d:]+)?)?$/;

function textSupport(value: string, words: string, kind: TextKind): Support {
  const [own, said] = [plain(value).toLowerCase(), words.toLowerCase()];
  if (own !== '' && standsIn(own, said)) return 'exact';
  if (mentionsOtherCurrency(own, said)) return 'equal';
  if (kind === 'choice') return 'implied';
  // An amount as text. Leading zeros belong to a name.
  const number = /^0\d/.test(own) ? null : numberIn(own);
  if (number !== null && numberSupport(number, words) === 'exact') return 'equal';
  if (kind === 'moment' || isoDate.test(own)) return dateSupport(own, said);
  return isSameDigits(own, said) ? 'equal' : freeSupport(own, said);
}

/** How far the words of a quote state the value. The quote has been found in the document. */
export function supportOf(value: Json, quote: string, kind: TextKind = 'free'): Support {
  if (typeof value === 'number') return numberSupport(value, quote);
  return typeof value === 'string' ? textSupport(value, plain(quote), kind) : 'implied';
}
