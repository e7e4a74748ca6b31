/** CSV without formulas for spreadsheets. https://www.rfc-editor.org/rfc/rfc4180 */

/** Prefixes a text that a spreadsheet would execute with a quote. https://owasp.org/www-community/attacks/CSV_Injection */
function cell(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

type Row = Readonly<Record<string, string | number | null>>;
const line = (values: readonly (string | number | null | undefined)[]): string => `${values.map(cell).join(',')}\r\n`;

/** One line per row. */
export function csvRows(columns: readonly string[], rows: readonly Row[]): string {
  return rows.map((row) => line(columns.map((column) => row[column]))).join('');
}

/** A header line, then one line per row. */
export function csvOf(columns: readonly string[], rows: readonly Row[]): string {
  return line(columns) + csvRows(columns, rows);
}
