/** Reads a value at a path within claims or an answer. */

/** Returns the value at the path, or undefined. Follows own properties only, never `__proto__` or `constructor`. `a\.b` is one key. */
export function claimAt(claims: unknown, path: string): unknown {
  let value = claims;
  for (const key of path.split(/(?<!\\)\./)) {
    const name = key.replaceAll('\\.', '.');
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}
