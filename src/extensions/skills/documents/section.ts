/** A part of a document, with where it stands. */

export interface Section {
  /** Such as `2 Delivery > 2.1 Dates`; empty before the first heading. */
  readonly heading: string;
  /** From 1; null where the format has none. */
  readonly page: number | null;
  readonly text: string;
}

/** For people: `page 3, 2 Delivery`. */
export const placeOf = ({ heading, page }: Section): string =>
  [page === null ? '' : `page ${page}`, heading].filter((part) => part !== '').join(', ') || 'beginning';

/** By which a model names it: the page where there is one, so that the two cannot be taken for each other; else its place among all, from 1. */
export const numberOf = ({ page }: Section, index: number): number => page ?? index + 1;
