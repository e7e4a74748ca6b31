/** Measures letters without a character: a font without a character map is displayed correctly but has no text. */

/** Controls, private and unassigned characters, and the replacement character. */
const unreadable = /[\p{Cc}\p{Co}\p{Cn}\p{Cs}\uFFFD]/gu;
const spaces = /\s/gu;
const anyLetter = /[^]/gu;

export interface Readability {
  /** The number of letters, without spaces. */
  readonly letters: number;
  readonly unreadable: number;
  /** The number of texts whose font failed to load, of unknown length. */
  readonly lost: number;
}

export function readabilityOf(text: string): Omit<Readability, 'lost'> {
  const printed = text.replace(spaces, '');
  return { letters: printed.match(anyLetter)?.length ?? 0, unreadable: printed.match(unreadable)?.length ?? 0 };
}

/** Replaces each unreadable letter by the same mark. */
export function marked(text: string): string {
  return text.replace(unreadable, (sign) => (/\s/.test(sign) ? sign : '\uFFFD'));
}

/** The share of unreadable letters from which the page gets a warning. */
const worthTelling = 0.02;

/** A warning for the reader of the page; null for a readable page. */
export function warningOf(page: number, { letters, unreadable: bad, lost }: Readability): string | null {
  const parts = [
    ...(bad > 0 && bad >= letters * worthTelling ? [`${bad} of ${letters} letters`] : []),
    ...(lost > 0 ? [`${lost} ${lost === 1 ? 'text' : 'texts'}`] : []),
  ];
  return parts.length === 0
    ? null
    : `[Page ${page}: ${parts.join(' and ')} cannot be read; the font does not say which characters they are.]`;
}

/** True when most of the text is unreadable. */
export function isUnreadable({ letters, unreadable: bad, lost }: Readability): boolean {
  return letters === 0 ? lost > 0 : bad * 2 > letters;
}
