/** A section of a document with its position. */

export interface Section {
  /** The heading path, such as `2 Delivery > 2.1 Dates`. Empty before the first heading. */
  readonly heading: string;
  /** From 1; null in formats without pages. */
  readonly page: number | null;
  readonly text: string;
}

/** The position for people: `page 3, 2 Delivery`. */
export const placeOf = ({ heading, page }: Section): string =>
  [page === null ? '' : `page ${page}`, heading].filter((part) => part !== '').join(', ') || 'beginning';

/** The number by which a model cites the section: its page, else its position from 1. */
export const numberOf = ({ page }: Section, index: number): number => page ?? index + 1;
