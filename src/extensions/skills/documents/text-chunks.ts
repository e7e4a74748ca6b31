/** Splits a text into chunks that restore it exactly when joined. */

export interface TextChunk {
  /** The white space before the chunk. */
  readonly before: string;
  /** Empty only when the whole text is white space. */
  readonly text: string;
  readonly after: string;
  /** The opening fence of a code block that continues in this chunk; empty for none. */
  readonly fence: string;
}

/** The end of the chunk that begins at `start`: at a paragraph, else a line, sentence or word. */
function endOf(whole: string, start: number, most: number): number {
  if (whole.length - start <= most) return whole.length;
  const least = start + Math.ceil(most / 2);
  // A search in the whole text would scan back to its beginning for every missing mark.
  const last = whole.slice(least, start + most);
  for (const mark of ['\n\n', '\n', '. ', '。', ' ']) {
    const at = last.lastIndexOf(mark);
    if (at !== -1) return least + at + mark.length;
  }
  const end = start + most;
  // Never splits a surrogate pair.
  return /[\ud800-\udbff]/.test(whole[end - 1] ?? '') ? end - 1 : end;
}

/** The fence that is open at the end of `text`, given the one open at its start. */
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
