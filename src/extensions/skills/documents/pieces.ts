/** A long document in pieces that a model can read at once, each with where it comes from. */
import { placeOf, type Section } from './section.ts';

export interface Piece {
  readonly text: string;
  /** Numbers of the sections that it holds parts of, from 1. */
  readonly sections: readonly number[];
}

/** The end of a piece: rather between paragraphs, sentences or words than within one. */
function cutAt(text: string, most: number): number {
  if (text.length <= most) return text.length;
  const least = Math.floor(most * 0.6);
  for (const mark of ['\n\n', '\n', '. ', '。', '; ', ' ']) {
    const at = text.lastIndexOf(mark, most - mark.length);
    if (at >= least) return at + mark.length;
  }
  // Never within a pair of surrogates.
  return /[\ud800-\udbff]/.test(text[most - 1] ?? '') ? most - 1 : most;
}

/**
 * Sections together in pieces of at most about `most` characters; a longer section is cut, each part beginning with the last `overlap`
 * characters of the part before. Each part is headed by `[n: place]`.
 */
export function inPieces(sections: readonly Section[], most: number, overlap: number): readonly Piece[] {
  const parts = sections.flatMap((section, index) => {
    const number = index + 1;
    const cut: { number: number; text: string }[] = [];
    let left = section.text;
    while (left !== '') {
      const end = cutAt(left, most);
      cut.push({ number, text: left.slice(0, end) });
      if (end >= left.length) break;
      left = left.slice(Math.max(1, end - overlap)).toWellFormed();
    }
    return cut;
  });
  const pieces: { text: string; sections: number[] }[] = [];
  for (const { number, text } of parts) {
    const headed = `[${number}: ${placeOf(sections[number - 1] as Section)}]\n${text}`;
    const last = pieces.at(-1);
    if (last !== undefined && last.text.length + headed.length + 2 <= most) {
      last.text += `\n\n${headed}`;
      if (!last.sections.includes(number)) last.sections.push(number);
    } else pieces.push({ text: headed, sections: [number] });
  }
  return pieces;
}
