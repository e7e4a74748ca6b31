/**
 * Deletes in the order of an index, a little in each step. On PostgreSQL deleted rows stay in the index until a vacuum, which waits for every
 * older snapshot. A search from the beginning would pass all of them in each step, so each step begins where the one before ended.
 */

/** The position of the last deleted row; undefined when no row is left; null when another node is at work. */
export type Removed = number | undefined | null;

/** `remove` deletes the first rows of a place, from a position on; null is its beginning. Rows that are added behind the position wait for another walk. */
export function walk<Place>(
  places: () => AsyncIterable<Place>,
  remove: (place: Place, from: number | null) => Promise<Removed>,
): () => Promise<boolean> {
  const all = places()[Symbol.asyncIterator]();
  let current: { readonly place: Place; readonly from: number | null } | undefined;
  return async () => {
    for (;;) {
      if (current === undefined) {
        const next = await all.next();
        if (next.done === true) return false;
        current = { place: next.value, from: null };
      }
      const last = await remove(current.place, current.from);
      if (last === null) return false;
      if (last !== undefined) {
        current = { place: current.place, from: last };
        return true;
      }
      current = undefined;
    }
  };
}
