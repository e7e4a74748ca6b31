/** Finds the header row of a long table, which its other rows need to be understood. */

const marks = ['\t', ';', '|', ','];
const lookedAt = 6;
/** A longer row is not a header. */
const longest = 500;

/** The first line of a text whose lines are rows with the same number of cells. Null for any other text. */
export function columnNames(text: string): string | null {
  const lines = text
    .slice(0, (longest + 2) * lookedAt)
    .split('\n')
    .slice(0, lookedAt);
  const [first = ''] = lines;
  // The last row may be cut here.
  const rows = lines.slice(0, -1);
  if (rows.length < 3 || first.length > longest || /\d{3}/.test(first)) return null;
  const countOf = (line: string, mark: string): number => line.replaceAll(/"[^"]*"/g, '').split(mark).length - 1;
  const isTable = marks.some((mark) => countOf(first, mark) > 0 && rows.every((line) => countOf(line, mark) === countOf(first, mark)));
  return isTable ? first.trim() : null;
}
