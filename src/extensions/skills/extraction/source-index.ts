/** An index of the text that a model read, to find its quotes. */
import { breaksIn, hasNoPlace } from '../documents/line-sections.ts';
import type { ChunkPart } from '../documents/chunks.ts';
import { placeOf } from '../documents/section.ts';
import { withoutPunctuation, type FoldedText, foldText } from './text-normalizer.ts';

/** The exact text of the document. */
export interface Passage {
  readonly words: string;
  /** The position for people: page and heading, or the line. */
  readonly source: string;
  readonly at: number;
  /** True when the text occurs once. */
  readonly isOnly: boolean;
}

export interface Reading {
  /** Finds a quote; of several occurrences the one nearest to `near`. Null when the text does not occur. */
  find(quote: string, near?: number): Passage | null;
}

/** The most occurrences of one text that are compared. */
const mostPlaces = 100;
/** The longest omission for `…` in a quote, in characters. */
const longestGap = 1_000;
const ellipsis = /[[(]?(?:\.{3,}|…+)[\])]?/;
const longestRest = 200;

interface Span {
  readonly start: number;
  readonly end: number;
}

/** The index in the folded text of original index `place`. */
function indexOf({ from }: FoldedText, place: number): number {
  let [low, high] = [0, from.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((from[middle] as number) < place) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Occurrences from `near` on, then those before it, nearest first. */
function* spansOf(words: FoldedText, within: FoldedText, near = 0): Generator<Span> {
  if (words.text === '') return;
  const start = near === 0 ? 0 : indexOf(within, near);
  const spanAt = (at: number): Span => ({
    start: within.from[at] as number,
    end: within.to[at + words.text.length - 1] as number,
  });
  let count = 0;
  for (let at = within.text.indexOf(words.text, start); at !== -1 && count < mostPlaces; count++) {
    yield spanAt(at);
    at = within.text.indexOf(words.text, at + 1);
  }
  count = 0;
  for (let at = start; at > 0 && count < mostPlaces; count++) {
    at = within.text.lastIndexOf(words.text, at - 1);
    if (at === -1) return;
    yield spanAt(at);
  }
}

/** In scripts without spaces each character may be a word. */
const unspacedScript =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const isLetter = (sign: string): boolean => /[\p{L}\p{M}]/u.test(sign) && !unspacedScript.test(sign);
const isDigit = (sign: string): boolean => /\p{Nd}/u.test(sign);

/** True when a word or number continues across index `at`. */
function goesOn(text: string, at: number): boolean {
  const [before, after] = [text[at - 1] ?? '', text[at] ?? ''];
  if (isLetter(before)) return isLetter(after);
  if (isDigit(before) && isDigit(after)) return true;
  const isMark = (sign: string): boolean => /[.,'\u2019\u066b\u066c]/.test(sign);
  return (
    (isDigit(before) && isMark(after) && isDigit(text[at + 1] ?? '')) || (isMark(before) && isDigit(after) && isDigit(text[at - 2] ?? ''))
  );
}

/** A quote may start or end within a word or number. The evidence is the whole word. */
function wholeWords(text: string, { start, end }: Span): Span {
  let [from, to] = [start, end];
  while (start - from < longestRest && goesOn(text, from)) from--;
  while (to - end < longestRest && goesOn(text, to)) to++;
  return { start: from, end: to };
}

/** Prefers an occurrence in the same line over one in the line before, at any distance. */
function nearest(text: string, found: readonly (readonly Span[])[], near: number): readonly Span[] | undefined {
  let best: { readonly spans: readonly Span[]; readonly lines: number; readonly signs: number } | undefined;
  for (const spans of found) {
    const start = spans[0]?.start ?? 0;
    const between = text.slice(Math.min(start, near), Math.max(start, near));
    const [lines, signs] = [between.split('\n').length, between.length];
    if (best === undefined || lines < best.lines || (lines === best.lines && signs < best.signs)) best = { spans, lines, signs };
  }
  return best?.spans;
}

/** Joins parts of sections into one text, because words may continue on the next page. */
export function createSourceIndex(parts: readonly ChunkPart[]): Reading {
  let text = '';
  const starts = parts.map(({ section, text: own, line }) => {
    const at = text.length;
    text += `${own}\n`;
    return { at, section, line };
  });
  const all = foldText(text);
  const few = withoutPunctuation(all);

  const isWhole = ({ start, end }: Span): boolean => !goesOn(text, start) && !goesOn(text, end);

  /** Occurrences of the quote, whole words first. */
  const spansFor = (quote: string, near: number | undefined): readonly (readonly Span[])[] => {
    const own = foldText(quote);
    for (const [words, within] of [
      [own, all],
      [withoutPunctuation(own), few],
    ] as const) {
      const spans = [...spansOf(words, within, near)];
      const whole = spans.filter(isWhole);
      if (spans.length > 0) return (whole.length > 0 ? whole : spans).map((span) => [span]);
    }
    return spansWithGaps(quote);
  };

  /** The parts around an omission must occur in order. */
  const spansWithGaps = (quote: string): readonly (readonly Span[])[] => {
    const words = quote
      .split(ellipsis)
      .map((part) => withoutPunctuation(foldText(part)))
      .filter((part) => part.text !== '');
    const [first, ...others] = words;
    if (first === undefined || others.length === 0) return [];
    return [...spansOf(first, few)].flatMap((span) => {
      const spans = [span];
      for (const part of others) {
        const { end } = spans.at(-1) as Span;
        const next = spansOf(part, few).find(({ start }) => start >= end);
        if (next === undefined || next.start - end > longestGap) return [];
        spans.push(next);
      }
      return [spans];
    });
  };

  return {
    find(quote, near) {
      const found = spansFor(quote, near);
      const spans = near === undefined ? found[0] : nearest(text, found, near);
      if (spans === undefined) return null;
      const words = spans.map((span) => {
        const { start, end } = wholeWords(text, span);
        return text.slice(start, end).replaceAll(/\s+/g, ' ').trim();
      });
      const at = (spans[0] as Span).start;
      const { section, ...start } = starts.findLast((each) => each.at <= at) as (typeof starts)[number];
      const line = hasNoPlace(section) ? start.line + breaksIn(text.slice(start.at, at)) : 1;
      return { words: words.join(' … '), source: line > 1 ? `line ${line}` : placeOf(section), at, isOnly: found.length === 1 };
    },
  };
}
