/** Rows as JSON text, cleaned of what a database cannot hold in a text column. */

/** JSON writes a NUL and a lone surrogate as an escape, so that a text without `\u` is clean already: the usual case costs one search. */
export function rowsJson(rows: readonly object[]): string {
  const text = JSON.stringify(rows);
  return text.includes('\\u') ? JSON.stringify(rows, cleaned) : text;
}

function cleaned(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll('\0', '').toWellFormed() : value;
}
