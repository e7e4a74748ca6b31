/** A text in pieces that together are the text again, space for space. */

export interface TextPiece {
  /** White space before it. */
  readonly before: string;
  readonly text: string;
  readonly after: string;
}

/** Cut between paragraphs where that is possible, else between lines, sentences or words. */
export function textPieces(whole: string, most: number): readonly TextPiece[] {
  const pieces: TextPiece[] = [];
  let left = whole;
  while (left !== '') {
    let end = left.length;
    if (end > most) {
      end = most;
      for (const mark of ['\n\n', '\n', '. ', '。', ' ']) {
        const at = left.lastIndexOf(mark, most - mark.length);
        if (at < most / 2) continue;
        end = at + mark.length;
        break;
      }
      if (/[\ud800-\udbff]/.test(left[end - 1] ?? '')) end--;
    }
    const part = left.slice(0, end);
    const text = part.trim();
    const before = part.slice(0, text === '' ? part.length : part.indexOf(text));
    if (text === '' && pieces.length > 0)
      pieces[pieces.length - 1] = { ...(pieces.at(-1) as TextPiece), after: `${pieces.at(-1)?.after}${part}` };
    else pieces.push({ before, text, after: part.slice(before.length + text.length) });
    left = left.slice(end);
  }
  return pieces;
}
