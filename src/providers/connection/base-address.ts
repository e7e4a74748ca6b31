/** The address of a provider row: every call goes to a path below it, with the row's query parameters. */

export interface BaseAddress {
  /** The full address of `path`, which starts with a slash and may have its own query. */
  at(path: string): string;
  /** The base address at `path`. */
  below(path: string): BaseAddress;
}

function under(base: string, query: string): BaseAddress {
  return {
    at: (path) => (query === '' ? base + path : `${base}${path}${path.includes('?') ? '&' : '?'}${query}`),
    below: (path) => under(base + path, query),
  };
}

/** `endings`: paths that a row may have beyond the base, such as `/chat/completions`; removed. */
export function baseAddress(url: URL, endings?: RegExp): BaseAddress {
  const bare = `${url.origin}${url.pathname}`.replace(/\/+$/, '');
  return under(endings === undefined ? bare : bare.replace(endings, ''), url.search.slice(1));
}
