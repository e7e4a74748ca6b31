/**
 * Holds what is in progress, in the order of its arrival. A Set or Map that short-lived objects pass through keeps many of them until a full
 * collection: V8 links each table that it replaced to the next one, and minor collections follow those links from dead tables.
 */

/** The place of one value in its list. */
export interface LiveEntry<T> {
  readonly value: T;
  /** False once it was removed. */
  readonly isIn: boolean;
}

class Entry<T> implements LiveEntry<T> {
  readonly value: T;
  isIn = false;
  previous: Entry<T> | null = null;
  next: Entry<T> | null = null;

  constructor(value: T) {
    this.value = value;
  }
}

export class LiveList<T> {
  #first: Entry<T> | null = null;
  #last: Entry<T> | null = null;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The entry that was added or moved to the end before all others. */
  get first(): LiveEntry<T> | null {
    return this.#first;
  }

  add(value: T): LiveEntry<T> {
    const entry = new Entry(value);
    this.#append(entry);
    return entry;
  }

  /** Does nothing for an entry that was removed before. `added`: of this list. */
  delete(added: LiveEntry<T>): void {
    const entry = added as Entry<T>;
    if (!entry.isIn) return;
    const { previous, next } = entry;
    if (previous === null) this.#first = next;
    else previous.next = next;
    if (next === null) this.#last = previous;
    else next.previous = previous;
    // A removed entry refers to no other, so that it keeps none.
    entry.previous = null;
    entry.next = null;
    entry.isIn = false;
    this.#size--;
  }

  moveToEnd(added: LiveEntry<T>): void {
    if (!added.isIn) return;
    this.delete(added);
    this.#append(added as Entry<T>);
  }

  /** The entries of now. The list may change while they are read. */
  entries(): readonly LiveEntry<T>[] {
    const entries: LiveEntry<T>[] = [];
    for (let entry = this.#first; entry !== null; entry = entry.next) entries.push(entry);
    return entries;
  }

  #append(entry: Entry<T>): void {
    entry.isIn = true;
    entry.previous = this.#last;
    if (this.#last === null) this.#first = entry;
    else this.#last.next = entry;
    this.#last = entry;
    this.#size++;
  }
}
