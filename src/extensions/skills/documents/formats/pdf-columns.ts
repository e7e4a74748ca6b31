/** Finds columns of running text and puts them in reading order. Columns of tables are handled elsewhere. */
import type { Line, Segment } from './pdf-segments.ts';

/** The least width of a column, as a share of the printed width. */
const narrowestColumn = 0.15;
/** The greatest width of a text within one column, as a share of the printed width. A wider text spans all columns. */
const widestInColumn = 0.62;
const leastLines = 3;
/** Only the widest gaps are considered; a block with more is a table. */
const mostGaps = 8;
/** A line of running text fills this share of its column and has this many letters; table cells do not. At least this share of lines is such. */
const leastFill = 0.55;
const leastLetters = 14;
const leastShare = 0.35;
/** Three or more columns that are filled less are a table. */
const leastFillOfThree = 0.7;
/** The distance of two paragraphs, in lines of text. */
const paragraphDistance = 1.7;
/** A page with more paragraphs is not searched in parts. */
const mostParagraphs = 40;
/** A heading is larger than the median line by this factor. */
const headingSize = 1.15;

interface Extent {
  readonly left: number;
  readonly right: number;
}

function extentOf(segments: readonly Segment[]): Extent {
  return { left: Math.min(...segments.map(({ left }) => left)), right: Math.max(...segments.map(({ right }) => right)) };
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

/** True when the lines form one column of running text, perhaps with a table or a list in it. */
function isColumn(lines: readonly Line[], whole: Extent, fill = leastFill): boolean {
  if (lines.length < leastLines) return false;
  const { left, right } = extentOf(lines.flatMap((line) => line.segments));
  const width = right - left;
  if (width < (whole.right - whole.left) * narrowestColumn) return false;
  const long = lines.filter(({ segments: [only, another] }) => {
    if (only === undefined || another !== undefined) return false;
    return only.right - only.left >= width * fill && textWidth(only.text) >= leastLetters;
  });
  return long.length >= leastLines && long.length >= lines.length * leastShare;
}

/** The width of a text in letters. A Chinese, Japanese or Korean character counts as two. */
const textWidth = (text: string): number =>
  text.length + (text.match(/[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]/g)?.length ?? 0);

/** True when the lines on one side of a gap are running text, in one column or in several. */
function isRunningText(lines: readonly Line[], whole: Extent): boolean {
  return isColumn(lines, whole) || isSeveralColumns(lines, whole);
}

function isSeveralColumns(lines: readonly Line[], whole: Extent): boolean {
  if (lines.length < leastLines) return false;
  return gapsOf(lines, extentOf(lines.flatMap(({ segments }) => segments))).some((gap) => {
    if (lines.some((line) => crosses(line, gap))) return false;
    return [side(lines, ({ right }) => right <= gap), side(lines, ({ left }) => left >= gap)].every(
      (part) => isColumn(part, whole, leastFillOfThree) || isSeveralColumns(part, whole),
    );
  });
}

function side(lines: readonly Line[], keep: (segment: Segment) => boolean): readonly Line[] {
  return lines.flatMap((line) => {
    const segments = line.segments.filter(keep);
    return segments.length === 0 ? [] : [{ ...line, segments }];
  });
}

interface Split {
  readonly from: number;
  readonly to: number;
  readonly before: readonly Line[];
  readonly after: readonly Line[];
}

/** A heading at the end of the columns belongs to what follows them. */
function withoutHeadings(split: Split): Split {
  const { before, after } = split;
  const sizes = [...before, ...after].map(({ size }) => size).toSorted((one, other) => one - other);
  const usual = (sizes[Math.floor(sizes.length / 2)] ?? 0) * headingSize;
  const lowest = Math.max(...[before.at(-1), after.at(-1)].map((line) => line?.y ?? 0));
  const isHeading = (line: Line | undefined): boolean => line !== undefined && line.y === lowest && line.size > usual;
  if (!isHeading(before.at(-1)) && !isHeading(after.at(-1))) return split;
  const kept = (lines: readonly Line[]): readonly Line[] => lines.filter(({ y }) => y !== lowest);
  return withoutHeadings({ ...split, to: split.to - 1, before: kept(before), after: kept(after) });
}

/** The first lines that a gap divides into running text on both sides. */
function splitOf(lines: readonly Line[], whole: Extent): Split | null {
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
      if (isRunningText(before, whole) && isRunningText(after, whole)) return withoutHeadings({ from, to, before, after });
      from = to;
    }
  }
  return null;
}

/** The ends of runs of lines without a wide distance between them, by line index. */
function paragraphEnds(lines: readonly Line[]): readonly number[] {
  const ends: number[] = [];
  for (const [at, line] of lines.entries()) {
    const next = lines[at + 1];
    if (next === undefined || next.y - line.y > Math.min(line.size, next.size) * paragraphDistance) ends.push(at + 1);
  }
  return ends;
}

/** As `splitOf`, for the largest part of a page that begins and ends with a paragraph: above and below columns a table may fill their gap. */
function splitOfPart(lines: readonly Line[], whole: Extent): Split | null {
  const ends = [0, ...paragraphEnds(lines)];
  if (ends.length > mostParagraphs) return null;
  for (let length = ends.length - 2; length > 0; length--) {
    for (let first = 0; first + length < ends.length; first++) {
      const [from, to] = [ends[first] ?? 0, ends[first + length] ?? 0];
      if (to - from < leastLines) continue;
      const split = splitOf(lines.slice(from, to), whole);
      if (split !== null) return { ...split, from: from + split.from, to: from + split.to };
    }
  }
  return null;
}

/** True when a text as wide as a column ends before another one begins; most pages of plain text need no search. */
function haveTextsApart(lines: readonly Line[], { left, right }: Extent): boolean {
  const wide = lines.flatMap(({ segments }) => segments).filter((each) => each.right - each.left > (right - left) * narrowestColumn);
  return Math.min(...wide.map((each) => each.right)) < Math.max(...wide.map((each) => each.left));
}

/** The blocks of lines in reading order. */
export function blocksOf(lines: readonly Line[]): readonly (readonly Line[])[] {
  if (lines.length === 0) return [];
  const whole = extentOf(lines.flatMap(({ segments }) => segments));
  const split = haveTextsApart(lines, whole) ? (splitOf(lines, whole) ?? splitOfPart(lines, whole)) : null;
  if (split === null) return [lines];
  const { from, to, before, after } = split;
  return [...blocksOf(lines.slice(0, from)), ...blocksOf(before), ...blocksOf(after), ...blocksOf(lines.slice(to))];
}
