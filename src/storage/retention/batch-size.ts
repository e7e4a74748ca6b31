/** The number of rows in one step: as many as keep the lock of a step short on this machine. */

const wantedMs = 15;

export class BatchSize {
  readonly #most: number;
  #size: number;

  constructor(first: number, most: number) {
    this.#size = first;
    this.#most = most;
  }

  get size(): number {
    return this.#size;
  }

  /** Runs one step and adapts the size to the time that it took. */
  async measure<T>(step: () => Promise<T>): Promise<T> {
    const start = performance.now();
    const result = await step();
    const took = performance.now() - start;
    if (took > wantedMs) this.#size = Math.max(10, this.#size >> 1);
    else if (took < wantedMs / 2) this.#size = Math.min(this.#most, this.#size * 2);
    return result;
  }
}
