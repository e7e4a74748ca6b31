/** How much happened within the last minute: two halves of it, weighed by how much of the older one still counts. */
const minute = 60_000;

export class MinuteWindow {
  #startedAt = 0;
  #now = 0;
  #before = 0;

  /** The sum over the last sixty seconds, about. */
  sum(now: number): number {
    this.#slide(now);
    const share = 1 - (now - this.#startedAt) / minute;
    return this.#now + this.#before * Math.max(0, share);
  }

  add(amount: number, now: number): void {
    this.#slide(now);
    this.#now += amount;
  }

  /** Milliseconds until the sum has fallen below `limit`, about. */
  waitFor(limit: number, now: number): number {
    const sum = this.sum(now);
    if (sum < limit) return 0;
    const left = this.#startedAt + minute - now;
    if (this.#now >= limit) return left;
    // The older minute fades evenly.
    return Math.min(left, Math.ceil(((sum - limit) / Math.max(1, this.#before)) * minute) + 1);
  }

  #slide(now: number): void {
    const age = now - this.#startedAt;
    if (age < minute) return;
    this.#before = age < 2 * minute ? this.#now : 0;
    this.#startedAt = age < 2 * minute ? this.#startedAt + minute : now;
    this.#now = 0;
  }
}
