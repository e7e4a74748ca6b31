/** Rows and values as JSON text without characters that a database refuses in a text column. */

/** JSON escapes NUL and lone surrogates, so a text without `\u` is clean. The usual case costs one search. */
export function rowsJson(rows: readonly (object | readonly unknown[])[]): string {
  const text = JSON.stringify(rows);
  return text.includes('\\u') ? JSON.stringify(rows, cleaned) : text;
}

export function cleanText(text: string): string {
  return text.replaceAll('\0', '').toWellFormed();
}

function cleaned(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? cleanText(value) : value;
}
