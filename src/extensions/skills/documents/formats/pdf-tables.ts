/** The lines of a block as text: table rows with all their cells, other lines with spaces. */
import type { Line, Segment } from './pdf-segments.ts';

interface Column {
  left: number;
  right: number;
}

const overlap = (column: Column, { left, right }: Column): number => Math.min(column.right, right) - Math.max(column.left, left);

/** The columns of consecutive lines: those of the line with the most cells, extended by the others. */
function columnsOf(lines: readonly Line[]): Column[] {
  const columns: Column[] = [];
  for (const { segments } of lines.toSorted((one, other) => other.segments.length - one.segments.length)) {
    for (const segment of segments) {
      const met = columns.filter((column) => overlap(column, segment) > 0);
      if (met.length === 0) columns.push({ left: segment.left, right: segment.right });
      const [only, another] = met;
      if (only === undefined || another !== undefined) continue;
      only.left = Math.min(only.left, segment.left);
      only.right = Math.max(only.right, segment.right);
    }
  }
  const sorted = columns.toSorted((one, other) => one.left - other.left);
  return withoutHeadColumns(merged(sorted, lines), lines);
}

/** Joins neighbouring columns that a cell spans when no row has cells in both: a number at the right end below a name at the left end of one column. */
function merged(columns: Column[], lines: readonly Line[]): Column[] {
  for (let at = columns.length - 2; at >= 0; at--) {
    const [one, other] = [columns[at] as Column, columns[at + 1] as Column];
    const spans = (segment: Segment): boolean => overlap(one, segment) > 0 && overlap(other, segment) > 0;
    const isSpanned = lines.some(({ segments }) => segments.some(spans));
    const areApart = lines.some(
      ({ segments }) =>
        segments.some((segment) => overlap(one, segment) > 0 && !spans(segment)) &&
        segments.some((segment) => overlap(other, segment) > 0 && !spans(segment)),
    );
    if (isSpanned && !areApart) columns.splice(at, 2, { left: one.left, right: other.right });
  }
  return columns;
}

/** Joins a column of only a head with the nearest column without one: heads are often centred over names at the left. */
function withoutHeadColumns(columns: Column[], lines: readonly Line[]): Column[] {
  const [head, ...rows] = lines;
  const isIn = (line: Line | undefined, column: Column): boolean => line?.segments.some((segment) => overlap(column, segment) > 0) ?? false;
  for (let at = columns.length - 1; at >= 0; at--) {
    const column = columns[at] as Column;
    if (!isIn(head, column) || rows.some((row) => isIn(row, column))) continue;
    const [before, after] = [columns[at - 1], columns[at + 1]].map((each) => (each === undefined || isIn(head, each) ? null : each));
    const distance = {
      before: before == null ? Infinity : column.left - before.right,
      after: after == null ? Infinity : after.left - column.right,
    };
    if (before != null && distance.before <= distance.after) columns.splice(at - 1, 2, { left: before.left, right: column.right });
    else if (after != null) columns.splice(at, 2, { left: column.left, right: after.right });
  }
  return columns;
}

/** A segment that other rows have in several cells, divided at its gaps. */
function cellsOf(segment: Segment, columns: readonly Column[]): readonly (Column & { readonly text: string })[] {
  const isWide = columns.filter((column) => overlap(column, segment) > 0).length > 1;
  const fits = segment.parts.every((part) => columns.filter((column) => overlap(column, part) > 0).length <= 1);
  return isWide && fits ? segment.parts : [segment];
}

function rowOf({ segments }: Line, columns: readonly Column[]): string {
  const cells = columns.map(() => '');
  for (const cell of segments.flatMap((segment) => cellsOf(segment, columns))) {
    const first = columns.findIndex((column) => overlap(column, cell) > 0);
    const at = first === -1 ? 0 : first;
    cells[at] = cells[at] === '' ? cell.text : `${cells[at]} ${cell.text}`;
  }
  return cells.join(' | ');
}

/** True when each text of a line with one segment fits into one column of the table. */
function fitsInto({ segments: [only] }: Line, columns: readonly Column[]): boolean {
  return only !== undefined && cellsOf(only, columns).every((cell) => columns.filter((column) => overlap(column, cell) > 0).length <= 1);
}

/** True when a line is about as far from the last row as the rows are from each other. */
function keepsDistance(line: Line, rows: readonly Line[]): boolean {
  const distances = rows.slice(1).map((row, at) => row.y - (rows[at] as Line).y);
  return line.y - (rows.at(-1) as Line).y <= Math.max(...distances) * 1.4;
}

/** True for a row at the end of a table whose only cell is not in the first column, such as a sum. */
function isLastRow({ segments: [only] }: Line, columns: readonly Column[]): boolean {
  return only !== undefined && columns.findIndex((column) => overlap(column, only) > 0) > 0;
}

const isRow = (line: Line | undefined): boolean => line !== undefined && line.segments.length > 1;

/** The largest distance of table rows, in lines of text. */
const farthest = 4;

/** The number of lines from `from` on that form a table; 0 for none. */
function tableAt(lines: readonly Line[], from: number): number {
  if (!isRow(lines[from])) return 0;
  let to = from + 1;
  while (to < lines.length) {
    const line = lines[to] as Line;
    if (line.y - (lines[to - 1] as Line).y > line.size * farthest) break;
    if (!isRow(line)) {
      const before = lines.slice(from, to);
      const columns = columnsOf(before);
      if (before.length > 2 && !keepsDistance(line, before)) break;
      // A line with one cell counts when more rows follow.
      if (!fitsInto(line, columns) || !(lines.slice(to, to + 3).some(isRow) || (before.length > 1 && isLastRow(line, columns)))) break;
    }
    to++;
  }
  const rows = lines.slice(from, to).filter(isRow);
  // Two lines with two parts are ambiguous.
  return rows.length > 2 || (rows.length === 2 && rows.some(({ segments }) => segments.length > 2)) ? to - from : 0;
}

export function textOf(lines: readonly Line[]): string {
  const written: string[] = [];
  for (let at = 0; at < lines.length;) {
    const count = tableAt(lines, at);
    if (count === 0) {
      written.push((lines[at] as Line).segments.map(({ text }) => text).join(' '));
      at++;
      continue;
    }
    const rows = lines.slice(at, at + count);
    const columns = columnsOf(rows);
    written.push(...rows.map((row) => rowOf(row, columns)));
    at += count;
  }
  return written.join('\n');
}
