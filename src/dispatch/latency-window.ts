/** The latencies of the latest calls. */
const maxSamples = 100;

export class LatencyWindow {
  /** Allocated with the first sample: most deployments never need it. */
  #times: Float64Array | null = null;
  #count = 0;

  add(milliseconds: number): void {
    this.#times ??= new Float64Array(maxSamples);
    this.#times[this.#count++ % maxSamples] = milliseconds;
  }

  /** The given percentile; null with fewer than `least` samples. */
  percentile(percent: number, least: number): number | null {
    if (this.#times === null || this.#count < least) return null;
    const sorted = this.#times.slice(0, Math.min(this.#count, maxSamples)).toSorted();
    return sorted[Math.min(sorted.length - 1, Math.ceil((percent / 100) * sorted.length) - 1)] ?? null;
  }
}
