/** The number of rows in one step: as many as keep the lock of a step short on this machine. */

const wantedMs = 15;
/** The first step, and any after it at the least. */
const fewestRows = 10;

export class BatchSize {
  readonly #most: number;
  readonly #now: () => number;
  #size = fewestRows;

  constructor(most: number, now: () => number = () => performance.now()) {
    this.#most = most;
    this.#now = now;
  }

  get size(): number {
    return this.#size;
  }

  /** Runs one step and adapts the size to the time that it took. After a slow one the next is smaller in proportion. */
  async measure<T>(step: () => Promise<T>): Promise<T> {
    const start = this.#now();
    const result = await step();
    const took = this.#now() - start;
    if (took > wantedMs) this.#size = Math.max(fewestRows, Math.floor((this.#size * wantedMs) / took));
    else if (took < wantedMs / 2) this.#size = Math.min(this.#most, this.#size * 2);
    return result;
  }
}
