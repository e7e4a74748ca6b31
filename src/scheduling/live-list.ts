/**
 * Holds what is in progress, in no order. A Set that short-lived objects pass through keeps many of them until a full collection: V8 links
 * each table that it replaced to the next one, and minor collections follow those links from dead tables.
 */

/** The place of one value. It belongs to the list that returned it. */
export interface LiveEntry<T> {
  readonly value: T;
  /** The index in the list; -1 once it was removed. */
  index: number;
}

export class LiveList<T> {
  readonly #entries: LiveEntry<T>[] = [];

  get size(): number {
    return this.#entries.length;
  }

  add(value: T): LiveEntry<T> {
    const entry = { value, index: this.#entries.length };
    this.#entries.push(entry);
    return entry;
  }

  /** Does nothing for an entry that was removed before. */
  delete(entry: LiveEntry<T>): void {
    const { index } = entry;
    if (index < 0) return;
    entry.index = -1;
    const last = this.#entries.pop();
    if (last === undefined || last === entry) return;
    this.#entries[index] = last;
    last.index = index;
  }

  /** The values of now. The list may change while they are read. */
  values(): readonly T[] {
    return this.#entries.map(({ value }) => value);
  }
}
