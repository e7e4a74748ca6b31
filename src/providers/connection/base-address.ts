/** The address of a provider's row: every call goes to a path below it, with the query that stands in it. */

export interface BaseAddress {
  /** The full address of `path`, which begins with a slash and may have a query of its own. */
  at(path: string): string;
  /** The base that `path` leads to. */
  below(path: string): BaseAddress;
}

function under(base: string, query: string): BaseAddress {
  return {
    at: (path) => (query === '' ? base + path : `${base}${path}${path.includes('?') ? '&' : '?'}${query}`),
    below: (path) => under(base + path, query),
  };
}

/** `endings` are what a row may name beyond the base, such as `/chat/completions`; it is taken off. */
export function baseAddress(url: URL, endings?: RegExp): BaseAddress {
  const bare = `${url.origin}${url.pathname}`.replace(/\/+$/, '');
  return under(endings === undefined ? bare : bare.replace(endings, ''), url.search.slice(1));
}
