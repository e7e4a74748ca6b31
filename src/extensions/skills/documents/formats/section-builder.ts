/** Sections by headings, as they come one after the other. */
import type { Section } from '../section.ts';
import { requireCharacters, UnreadableDocument } from '../document-errors.ts';

/** Each has the whole path of its headings, so many short ones would take far more room than the document. */
const mostSections = 50_000;
const mostHeading = 200;

export interface SectionBuilder {
  /** What follows stands under this heading. */
  enter(level: number, heading: string): void;
  /** The text of the section that has been entered, its heading included; blank text makes none. */
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
      // Never within a pair of surrogates.
      path.push(heading.length > mostHeading && /[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut);
    },
    add(text) {
      // What stands before the first word in its line may mean something; lines without any do not.
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
