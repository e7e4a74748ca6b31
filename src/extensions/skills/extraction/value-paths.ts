/** Paths of values, such as `lines[0].price`, and the quotes given by path. */

export const within = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`);

/** The parent path. Always shorter, because names may contain any mark: `Price [EUR]`. */
const parentPath = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('.'), path.lastIndexOf('[')));

const withIndexes = (path: string): string => path.replaceAll(/\.(\d+)(?=[.[]|$)/g, '[$1]');

/** Quotes by path as given, and by likely variants: `$.a`, `data.a`, `/a/0/b` and `a.0.b` for `a[0].b`. The given path takes precedence. */
export function quotesByPath(given: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  const entries = Object.entries(given);
  const quotes = new Map(entries);
  for (const change of [
    (path: string) => (path.startsWith('/') ? path.slice(1).replaceAll('/', '.') : path),
    withIndexes,
    (path: string) => path.replace(/^(\$|data)(\.|(?=\[))/, ''),
    (path: string) => path.replaceAll(/\[(\d+)\]/g, '.$1'),
  ])
    for (const [path, quote] of quotes.entries().toArray()) if (!quotes.has(change(path))) quotes.set(change(path), quote);
  return quotes;
}

/** The quote for a value. `own` is false when the quote was given for a parent. */
export function quoteFor(path: string, quotes: ReadonlyMap<string, string>): { quote: string; own: boolean } {
  for (let at = path; at !== ''; at = parentPath(at)) {
    const quote = quotes.get(at);
    if (quote !== undefined && quote.trim() !== '') return { quote, own: at === path };
  }
  return { quote: '', own: false };
}
