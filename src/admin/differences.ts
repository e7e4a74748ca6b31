/** The differences between two JSON values by path, for a person to review. */
import { isJsonObject, type Json } from '../types/json.ts';

export interface Difference {
  /** JSON Pointer (RFC 6901); empty for the whole value. */
  readonly path: string;
  /** Null for `null` and for a missing value; `change` distinguishes them. */
  readonly before: Json;
  readonly after: Json;
  readonly change: 'added' | 'removed' | 'changed';
}

const mostDifferences = 200;

const pointer = (part: string): string => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`;

/** In the order of `before`, then the additions of `after`. At most 200. */
export function differences(before: Json, after: Json): readonly Difference[] {
  const found: Difference[] = [];
  const walk = (path: string, one: Json | undefined, other: Json | undefined): void => {
    if (found.length >= mostDifferences || one === other) return;
    if (one === undefined || other === undefined) {
      found.push({ path, before: one ?? null, after: other ?? null, change: one === undefined ? 'added' : 'removed' });
      return;
    }
    const areObjects = isJsonObject(one) && isJsonObject(other);
    const areLists = Array.isArray(one) && Array.isArray(other);
    if (!areObjects && !areLists) {
      found.push({ path, before: one, after: other, change: 'changed' });
      return;
    }
    const [left, right] = [one, other] as unknown as [Record<string, Json>, Record<string, Json>];
    for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) walk(`${path}${pointer(key)}`, left[key], right[key]);
  };
  walk('', before, after);
  return found;
}
