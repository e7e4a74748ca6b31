/** The lines of a block as text: table rows with all their cells, other lines with spaces. */
import type { Line, Segment } from './pdf-segments.ts';

interface Column {
  left: number;
  right: number;
}

const overlap = (column: Column, { left, right }: Segment): number => Math.min(column.right, right) - Math.max(column.left, left);

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
  return columns.toSorted((one, other) => one.left - other.left);
}

function rowOf({ segments }: Line, columns: readonly Column[]): string {
  const cells = columns.map(() => '');
  for (const segment of segments) {
    const widths = columns.map((column) => overlap(column, segment));
    const first = widths.findIndex((width) => width > 0);
    const at = first === -1 ? 0 : first;
    cells[at] = cells[at] === '' ? segment.text : `${cells[at]} ${segment.text}`;
  }
  return cells.join(' | ');
}

/** True when a line with one segment fits into one column of the table. */
function fitsInto({ segments }: Line, columns: readonly Column[]): boolean {
  const [only] = segments;
  return only !== undefined && columns.filter((column) => overlap(column, only) > 0).length <= 1;
}

const isRow = (line: Line | undefined): boolean => line !== undefined && line.segments.length > 1;

/** The largest distance of table rows, in lines of text. */
const farthest = 4;

/** The number of lines from `from` on that form a table; 0 for none. */
function tableAt(lines: readonly Line[], from: number): number {
  if (!isRow(lines[from])) return 0;
  let to = from + 1;
  while (to < lines.length) {
    const [before, line] = [lines[to - 1] as Line, lines[to] as Line];
    if (line.y - before.y > line.size * farthest) break;
    // A line with one cell counts when more rows follow.
    if (!isRow(line) && !(fitsInto(line, columnsOf(lines.slice(from, to))) && lines.slice(to, to + 3).some(isRow))) break;
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
