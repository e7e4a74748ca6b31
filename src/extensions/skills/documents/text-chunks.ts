/** A text in pieces that together are the text again, space for space. */

export interface TextChunk {
  /** White space before it. */
  readonly before: string;
  /** Empty only where the whole text is nothing but white space. */
  readonly text: string;
  readonly after: string;
  /** The fence with which a block of code began that goes on in this piece; empty for none. */
  readonly fence: string;
}

/** Where a piece that begins at `start` ends: between paragraphs where that is possible, else between lines, sentences or words. */
function endOf(whole: string, start: number, most: number): number {
  if (whole.length - start <= most) return whole.length;
  const least = start + Math.ceil(most / 2);
  // A search in all of the text would go back to its beginning for every mark that is not there.
  const last = whole.slice(least, start + most);
  for (const mark of ['\n\n', '\n', '. ', '。', ' ']) {
    const at = last.lastIndexOf(mark);
    if (at !== -1) return least + at + mark.length;
  }
  const end = start + most;
  // Never within a pair of surrogates.
  return /[\ud800-\udbff]/.test(whole[end - 1] ?? '') ? end - 1 : end;
}

/** The fence that is open at the end of `text`, which begins within `open`. */
function fenceAfter(text: string, open: string): string {
  let fence = open;
  for (const [, mark = '', rest = ''] of text.matchAll(/^ {0,3}(`{3,}|~{3,})([^\n]*)$/gm)) {
    if (fence === '') fence = mark.startsWith('`') && rest.includes('`') ? '' : mark;
    else if (mark[0] === fence[0] && mark.length >= fence.length && rest.trim() === '') fence = '';
  }
  return fence;
}

export function textChunks(whole: string, most: number): readonly TextChunk[] {
  const pieces: TextChunk[] = [];
  let fence = '';
  for (let start = 0; start < whole.length;) {
    const end = endOf(whole, start, most);
    const part = whole.slice(start, end);
    start = end;
    const text = part.trim();
    const last = pieces.at(-1);
    if (text === '' && last !== undefined) {
      pieces[pieces.length - 1] = { ...last, after: `${last.after}${part}` };
      continue;
    }
    const before = part.slice(0, text === '' ? part.length : part.indexOf(text));
    pieces.push({ before, text, after: part.slice(before.length + text.length), fence });
    fence = fenceAfter(part, fence);
  }
  return pieces;
}
