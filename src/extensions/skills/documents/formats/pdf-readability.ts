/** Letters of a PDF that are no characters: fonts without a map draw them well, and nobody but the eye can read them. */

/** Controls, private and unassigned characters, and the sign for a character that is none. */
const unreadable = /[\p{Cc}\p{Co}\p{Cn}\p{Cs}\uFFFD]/gu;
const spaces = /\s/gu;
const anyLetter = /[^]/gu;

export interface Readability {
  /** Letters, spaces not counted. */
  readonly letters: number;
  readonly unreadable: number;
  /** Whole texts of which nothing is known, not even how many letters they have. */
  readonly lost: number;
}

export function readabilityOf(text: string): Omit<Readability, 'lost'> {
  const printed = text.replace(spaces, '');
  return { letters: printed.match(anyLetter)?.length ?? 0, unreadable: printed.match(unreadable)?.length ?? 0 };
}

/** With one and the same sign for each letter that cannot be read. */
export function marked(text: string): string {
  return text.replace(unreadable, (sign) => (/\s/.test(sign) ? sign : '\uFFFD'));
}

/** From this share on it is told. */
const worthTelling = 0.02;

/** A sentence for the reader of the page; null where it can be read. */
export function warningOf(page: number, { letters, unreadable: bad, lost }: Readability): string | null {
  const parts = [
    ...(bad > 0 && bad >= letters * worthTelling ? [`${bad} of ${letters} letters`] : []),
    ...(lost > 0 ? [`${lost} ${lost === 1 ? 'text' : 'texts'}`] : []),
  ];
  return parts.length === 0
    ? null
    : `[Page ${page}: ${parts.join(' and ')} cannot be read; the font does not say which characters they are.]`;
}

/** Whether most of it cannot be read. */
export function isUnreadable({ letters, unreadable: bad, lost }: Readability): boolean {
  return letters === 0 ? lost > 0 : bad * 2 > letters;
}
