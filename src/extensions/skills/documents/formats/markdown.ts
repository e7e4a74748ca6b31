/** Reads plain text and Markdown as sections by headings, in linear time. */
import { setImmediate } from 'node:timers/promises';
import { createSectionBuilder } from './section-builder.ts';
import type { Section } from '../section.ts';

interface Heading {
  readonly level: number;
  readonly title: string;
}

/** Matches `## Two` and `## Two ##`. */
function markedHeading(line: string): Heading | null {
  let level = 0;
  while (level < 7 && line[level] === '#') level++;
  if (level === 0 || level === 7 || !/\s/.test(line[level] ?? '')) return null;
  const title = line.slice(level).trim();
  let end = title.length;
  while (title[end - 1] === '#') end--;
  // The # of `C#` belongs to the name.
  const own = end === title.length || /\S/.test(title[end - 1] ?? ' ') ? title : title.slice(0, end).trim();
  return own === '' ? null : { level, title: own };
}

/** Matches `Two` with a line of `=` or `-` under it. */
function underlinedHeading(line: string, next: string): Heading | null {
  if (line.trim() === '' || !/^(=+|--+)\s*$/.test(next)) return null;
  return { level: next.startsWith('=') ? 1 : 2, title: line.trim() };
}

/** The code fence that is open after this line, given the one before it. */
function fenceAfter(open: string | null, line: string): string | null {
  const [, mark, rest] = /^\s*(`{3,}|~{3,})(.*)$/s.exec(line) ?? [];
  if (mark === undefined || rest === undefined) return open;
  if (open === null) return mark.startsWith('`') && rest.includes('`') ? null : mark;
  return mark.startsWith(open) && rest.trim() === '' ? null : open;
}

/** The sections together are the whole text; a heading is the first line of its section. Lines in code fences are not headings. */
export async function readMarkdown(given: string, signal?: AbortSignal): Promise<readonly Section[]> {
  const text = given.replaceAll(/\r\n?/g, '\n');
  const outline = createSectionBuilder();
  const endOf = (start: number): number => {
    const end = text.indexOf('\n', start);
    return end === -1 ? text.length : end;
  };
  let begin = 0;
  let fence: string | null = null;
  let isApart = true;
  let count = 0;
  for (let start = 0; start < text.length; count++) {
    let end = endOf(start);
    const line = text.slice(start, end);
    const before: string | null = fence;
    fence = fenceAfter(before, line);
    let heading: Heading | null = null;
    if (before === null && fence === null) {
      heading = markedHeading(line);
      if (heading === null && isApart && end < text.length) {
        const endOfNext = endOf(end + 1);
        heading = underlinedHeading(line, text.slice(end + 1, endOfNext));
        if (heading !== null) end = endOfNext;
      }
    }
    if (heading !== null) {
      outline.add(text.slice(begin, start));
      outline.enter(heading.level, heading.title);
      begin = start;
    }
    isApart = heading !== null || line.trim() === '';
    start = end + 1;
    // Yields to other work.
    if (count % 20_000 === 19_999) {
      await setImmediate();
      signal?.throwIfAborted();
    }
  }
  outline.add(text.slice(begin));
  return outline.sections();
}
