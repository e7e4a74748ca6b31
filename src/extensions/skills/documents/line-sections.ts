/** Splits text without headings and pages into sections by line numbers. */
import type { Section } from './section.ts';

/** The size of such a section. Shorter texts stay whole. */
const usual = 3_000;

export const hasNoPlace = ({ heading, page }: Section): boolean => heading === '' && page === null;

export const breaksIn = (text: string): number => text.split('\n').length - 1;

/** A long text without headings as several sections by lines. Other sections are returned unchanged. */
export function byLines(sections: readonly Section[]): readonly Section[] {
  const [only, ...others] = sections;
  if (only === undefined || others.length > 0 || !hasNoPlace(only) || only.text.length <= usual || !only.text.includes('\n'))
    return sections;
  const found: Section[] = [];
  let own = '';
  let first = 1;
  let line = 0;
  const end = (): void => {
    if (own.trim() !== '')
      found.push({ heading: first === line ? `line ${first}` : `lines ${first}–${line}`, page: null, text: own.trimEnd() });
    own = '';
    first = line + 1;
  };
  for (const each of only.text.split('\n')) {
    line++;
    own += `${each}\n`;
    // Prefers a paragraph boundary.
    if (own.length > usual || (own.length > usual / 2 && each.trim() === '')) end();
  }
  end();
  return found;
}
