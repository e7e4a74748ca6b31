/** Finds columns of running text and puts them in reading order. Columns of tables are handled elsewhere. */
import type { Line, Segment } from './pdf-segments.ts';

/** The least width of a column, as a share of the printed width. */
const narrowestColumn = 0.15;
/** The greatest width of a text within one column, as a share of the printed width. A wider text spans all columns. */
const widestInColumn = 0.62;
const leastLines = 3;
/** Only the widest gaps are considered; a block with more is a table. */
const mostGaps = 8;
/** Running text fills this share of a column and has this many letters in its median line. Table cells do not. */
const leastFill = 0.55;
const leastLetters = 14;

interface Extent {
  readonly left: number;
  readonly right: number;
}

function extentOf(segments: readonly Segment[]): Extent {
  return { left: Math.min(...segments.map(({ left }) => left)), right: Math.max(...segments.map(({ right }) => right)) };
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
}

/** The middles of vertical strips that are empty except for texts across all columns. */
function gapsOf(lines: readonly Line[], { left, right }: Extent): readonly number[] {
  const widest = (right - left) * widestInColumn;
  const own = lines
    .flatMap(({ segments }) => segments)
    .filter((each) => each.right - each.left < widest)
    .toSorted((one, other) => one.left - other.left);
  const gaps: { readonly at: number; readonly width: number }[] = [];
  let end = own[0]?.right ?? right;
  for (const segment of own) {
    if (segment.left - end > segment.size * 0.8) gaps.push({ at: (end + segment.left) / 2, width: segment.left - end });
    end = Math.max(end, segment.right);
  }
  return gaps
    .toSorted((one, other) => other.width - one.width)
    .slice(0, mostGaps)
    .map(({ at }) => at);
}

const crosses = ({ segments }: Line, gap: number): boolean => segments.some(({ left, right }) => left < gap && right > gap);

/** True when the lines on one side of a gap are running text. */
function isRunningText(lines: readonly Line[], whole: Extent): boolean {
  if (lines.length < leastLines) return false;
  const segments = lines.flatMap((line) => line.segments);
  const { left, right } = extentOf(segments);
  const width = right - left;
  if (width < (whole.right - whole.left) * narrowestColumn || segments.length > lines.length * 1.2) return false;
  return (
    median(segments.map((each) => (each.right - each.left) / width)) >= leastFill &&
    median(segments.map(({ text }) => textWidth(text))) >= leastLetters
  );
}

/** The width of a text in letters. A Chinese, Japanese or Korean character counts as two. */
const textWidth = (text: string): number =>
  text.length + (text.match(/[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]/g)?.length ?? 0);

function side(lines: readonly Line[], keep: (segment: Segment) => boolean): readonly Line[] {
  return lines.flatMap((line) => {
    const segments = line.segments.filter(keep);
    return segments.length === 0 ? [] : [{ ...line, segments }];
  });
}

/** The blocks of lines in reading order. */
export function blocksOf(lines: readonly Line[]): readonly (readonly Line[])[] {
  const all = lines.flatMap(({ segments }) => segments);
  if (all.length === 0) return [];
  const whole = extentOf(all);
  for (const gap of gapsOf(lines, whole)) {
    // A line across the gap, such as a headline, ends a run.
    let from = 0;
    while (from < lines.length) {
      if (crosses(lines[from] as Line, gap)) {
        from++;
        continue;
      }
      let to = from;
      while (to < lines.length && !crosses(lines[to] as Line, gap)) to++;
      const run = lines.slice(from, to);
      const [before, after] = [side(run, ({ right }) => right <= gap), side(run, ({ left }) => left >= gap)];
      if (isRunningText(before, whole) && isRunningText(after, whole))
        return [...blocksOf(lines.slice(0, from)), ...blocksOf(before), ...blocksOf(after), ...blocksOf(lines.slice(to))];
      from = to;
    }
  }
  return [lines];
}
