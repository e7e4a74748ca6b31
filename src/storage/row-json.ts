/** Rows as JSON text without characters that a database refuses in a text column. */

/** JSON escapes NUL and lone surrogates, so a text without `\u` is clean. The usual case costs one search. */
export function rowsJson(rows: readonly object[]): string {
  const text = JSON.stringify(rows);
  return text.includes('\\u') ? JSON.stringify(rows, cleaned) : text;
}

function cleaned(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll('\0', '').toWellFormed() : value;
}
