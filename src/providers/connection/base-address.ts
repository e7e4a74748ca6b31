/** The address of a provider row: every call goes to a path below it, with the row's query parameters. */

import { GatewayError } from '../../types/errors.ts';

export interface BaseAddress {
  /** The full address of `path`, which starts with a slash and may have its own query. Throws `upstream_model_not_found` for one that leads elsewhere. */
  at(path: string): string;
  /** The base address at `path`. */
  below(path: string): BaseAddress;
}

/** Refuses `.` and `..` in a model's name, because they would remove path segments and call another model than the row names. */
function requirePlain(path: string): string {
  const plain = path.split('?', 1)[0] ?? '';
  if (!plain.split('/').some((segment) => /^(?:\.|%2e){1,2}(?::|$)/i.test(segment))) return path;
  throw new GatewayError(
    'upstream_model_not_found',
    'The name of the model at the vendor holds "." or ".." between slashes, which leads to another address. Tell your administrator.',
  );
}

function under(base: string, query: string): BaseAddress {
  return {
    at: (given) => {
      const path = requirePlain(given);
      return query === '' ? base + path : `${base}${path}${path.includes('?') ? '&' : '?'}${query}`;
    },
    below: (path) => under(base + path, query),
  };
}

/** `endings`: paths that a row may have beyond the base, such as `/chat/completions`; removed. */
export function baseAddress(url: URL, endings?: RegExp): BaseAddress {
  const bare = `${url.origin}${url.pathname}`.replace(/\/+$/, '');
  return under(endings === undefined ? bare : bare.replace(endings, ''), url.search.slice(1));
}
