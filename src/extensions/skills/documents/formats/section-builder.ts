/** Builds sections from headings and text in document order. */
import type { Section } from '../section.ts';
import { requireCharacters, UnreadableDocument } from '../document-errors.ts';

/** Each section stores its whole heading path, so many short ones would exceed the size of the document. */
const mostSections = 50_000;
const mostHeading = 200;

export interface SectionBuilder {
  /** Starts a section under this heading. */
  enter(level: number, heading: string): void;
  /** Adds text to the current section, its heading included. Blank text makes no section. */
  add(text: string): void;
  sections(): readonly Section[];
}

export function createSectionBuilder(): SectionBuilder {
  const sections: Section[] = [];
  const path: string[] = [];
  let characters = 0;
  return {
    enter(level, heading) {
      path.length = level - 1;
      for (let above = 0; above < path.length; above++) path[above] ??= '';
      const cut = heading.slice(0, mostHeading);
      // Never splits a surrogate pair.
      path.push(heading.length > mostHeading && /[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut);
    },
    add(text) {
      // Leading white space of a line may be significant; blank lines are not.
      const own = text.trimEnd().replace(/^\s*\n/, '');
      if (own === '') return;
      requireCharacters((characters += own.length));
      if (sections.length === mostSections)
        throw new UnreadableDocument(`has more than ${mostSections.toLocaleString('en')} headings; send it in parts`);
      sections.push({ heading: path.filter((part) => part !== '').join(' > '), page: null, text: own });
    },
    sections: () => sections,
  };
}
