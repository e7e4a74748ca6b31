/** The lines of a block as text: rows of tables with all their cells, everything else with spaces. */
import type { Line, Segment } from './pdf-segments.ts';

interface Column {
  left: number;
  right: number;
}

const overlap = (column: Column, { left, right }: Segment): number => Math.min(column.right, right) - Math.max(column.left, left);

/** The columns of consecutive lines: those of the line with the most cells, widened and joined by what the others have. */
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

/** Whether a line of one segment belongs to the table around it: in one of its columns, not across them. */
function fitsInto({ segments }: Line, columns: readonly Column[]): boolean {
  const [only] = segments;
  return only !== undefined && columns.filter((column) => overlap(column, only) > 0).length <= 1;
}

const isRow = (line: Line | undefined): boolean => line !== undefined && line.segments.length > 1;

/** In lines of text: farther apart are two things. */
const farthest = 4;

/** How many lines from `from` on are one table; 0 for none. */
function tableAt(lines: readonly Line[], from: number): number {
  if (!isRow(lines[from])) return 0;
  let to = from + 1;
  while (to < lines.length) {
    const [before, line] = [lines[to - 1] as Line, lines[to] as Line];
    if (line.y - before.y > line.size * farthest) break;
    // A line of one cell counts where rows go on behind it.
    if (!isRow(line) && !(fitsInto(line, columnsOf(lines.slice(from, to))) && lines.slice(to, to + 3).some(isRow))) break;
    to++;
  }
  const rows = lines.slice(from, to).filter(isRow);
  // Two lines of two parts may be anything.
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
