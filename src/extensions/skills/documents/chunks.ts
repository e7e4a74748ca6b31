/** Splits a long document into chunks that fit a prompt, with the source of each. */
import { columnNames } from './column-names.ts';
import { breaksIn } from './line-sections.ts';
import { numberOf, placeOf, type Section } from './section.ts';

/** The part of a section in a chunk, and its first line in the section, from 1. */
export interface ChunkPart {
  readonly section: Section;
  readonly text: string;
  readonly line: number;
}

export interface Chunk {
  readonly text: string;
  /** Numbers of the sections in the chunk, in order. */
  readonly sections: readonly number[];
  /** The parts of these sections. */
  readonly parts: readonly ChunkPart[];
  /** The overlap with the chunk before. */
  readonly overlap: string;
}

/** A part of one section, at most as large as a chunk. */
interface Part {
  readonly section: Section;
  readonly number: number;
  readonly text: string;
  readonly line: number;
  /** The header row of a table that continues in the part. */
  readonly columns: string | null;
  /** The overlap with the part before, of the same section. */
  readonly overlap: string;
}

/** The end of the part that begins at `start`: at a paragraph, else a sentence, else a word. */
function endOf(text: string, start: number, most: number): number {
  if (text.length - start <= most) return text.length;
  const least = start + Math.floor(most * 0.6);
  // A search in the whole text would scan back to its beginning for every missing mark.
  const last = text.slice(least, start + most);
  for (const mark of ['\n\n', '\n', '. ', '。', '; ', ' ']) {
    const at = last.lastIndexOf(mark);
    if (at !== -1) return least + at + mark.length;
  }
  const end = start + most;
  // Never splits a surrogate pair.
  return isPairAt(text, end) ? end - 1 : end;
}

const isPairAt = (text: string, at: number): boolean =>
  /[\ud800-\udbff]/.test(text[at - 1] ?? '') && /[\udc00-\udfff]/.test(text[at] ?? '');

/** The start of the last `most` characters before `end`, at a word boundary if there is one. */
function tailOf(text: string, end: number, most: number): number {
  const start = Math.max(0, end - most);
  if (start === 0) return 0;
  const space = text.slice(start, end).search(/\s\S/);
  if (space !== -1) return start + space + 1;
  return isPairAt(text, start) ? start + 1 : start;
}

function* partsOf(section: Section, number: number, most: number, overlap: number): Generator<Part> {
  const { text } = section;
  const names = text.length <= most ? null : columnNames(text);
  let start = 0;
  let line = 1;
  let repeated = '';
  for (;;) {
    const end = endOf(text, start, most);
    yield { section, number, text: text.slice(start, end), line, columns: start === 0 ? null : names, overlap: repeated };
    if (end >= text.length) return;
    // Moves forward by half a chunk at least, for any overlap.
    const next = Math.max(tailOf(text, end, overlap), start + Math.ceil((end - start) / 2));
    repeated = text.slice(next, end);
    line += breaksIn(text.slice(start, next));
    start = next;
  }
}

/**
 * Joins sections into chunks of at most about `most` characters and splits longer ones. A chunk begins with the last `overlap` characters
 * of the chunk before. Each part has the heading `[number: place]`, and the header row of a continued table.
 */
export function chunkSections(sections: readonly Section[], most: number, overlap: number): readonly Chunk[] {
  const pieces: { text: string; sections: number[]; parts: ChunkPart[]; overlap: string }[] = [];
  const headed = ({ number, section, columns }: Part, text: string): string =>
    `[${number}: ${placeOf(section)}${columns === null ? '' : `; its columns: ${columns}`}]\n${text}`;
  let before: Part | null = null;
  for (const [index, section] of sections.entries()) {
    for (const part of partsOf(section, numberOf(section, index), most, overlap)) {
      const { number } = part;
      const text = headed(part, part.text);
      const own = { section, text: part.text, line: part.line };
      const last = pieces.at(-1);
      if (last !== undefined && last.text.length + text.length + 2 <= most) {
        last.text += `\n\n${text}`;
        last.parts.push(own);
        if (last.sections.at(-1) !== number) last.sections.push(number);
      } else if (before === null || part.overlap !== '' || overlap === 0)
        pieces.push({ text, sections: [number], parts: [own], overlap: part.overlap });
      else {
        const from = tailOf(before.text, before.text.length, overlap);
        const tail = before.text.slice(from);
        const parts = [{ section: before.section, text: tail, line: before.line + breaksIn(before.text.slice(0, from)) }, own];
        pieces.push({ text: `${headed(before, tail)}\n\n${text}`, sections: [before.number, number], parts, overlap: tail });
      }
      before = part;
    }
  }
  return pieces;
}
