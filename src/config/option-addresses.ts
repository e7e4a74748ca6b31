/** Finds the addresses in a plugin's options: http(s) URLs by value, and fields that the schema marks. */
import type { ZodType } from 'zod';
import { markedPaths, type OptionPath } from './marked-paths.ts';

export interface OptionAddress {
  /** The path, such as `credentials.token_url`. */
  readonly path: string;
  /** Null for a marked field without a URL, such as an inline document. */
  readonly url: URL | null;
  /** What a stored secret is tied to: the origin, or the whole value of a marked field. */
  readonly identity: string;
}

const matches = (pattern: OptionPath, path: OptionPath): boolean =>
  pattern.length === path.length && pattern.every((part, index) => part === '*' || part === path[index]);

function urlOf(text: string): URL | null {
  if (!/^\s*(https?|wss?|socks5h?):/i.test(text)) return null;
  return URL.parse(text.trim());
}

/** All addresses, sorted by path. A secret is an address only where its schema says so, and then it is not a URL. */
export function addressesOf(options: unknown, schema: ZodType): readonly OptionAddress[] {
  const marked = markedPaths(schema, 'address');
  const secrets = markedPaths(schema, 'secret');
  const found: OptionAddress[] = [];
  const walk = (value: unknown, path: OptionPath): void => {
    if (value === undefined || value === null) return;
    const isSecret = secrets.some((each) => matches(each, path));
    const url = typeof value === 'string' && !isSecret ? urlOf(value) : null;
    if (marked.some((each) => matches(each, path))) found.push({ path: path.join('.'), url, identity: JSON.stringify(value) });
    else if (url !== null) found.push({ path: path.join('.'), url, identity: url.origin });
    else if (!isSecret && typeof value === 'object')
      for (const [key, inner] of Object.entries(value)) walk(inner, [...path, Array.isArray(value) ? '*' : key]);
  };
  walk(options, []);
  return found.toSorted((one, other) => (one.path + one.identity < other.path + other.identity ? -1 : 1));
}
