/** A sliding count of the last minute: two fixed minutes, of which the older one is weighted by its remaining share. */
const minute = 60_000;

export class MinuteWindow {
  #startedAt = 0;
  #now = 0;
  #before = 0;

  /** The approximate sum over the last sixty seconds. */
  sum(now: number): number {
    this.#slide(now);
    const share = 1 - (now - this.#startedAt) / minute;
    return this.#now + this.#before * Math.max(0, share);
  }

  add(amount: number, now: number): void {
    this.#slide(now);
    this.#now += amount;
  }

  /** Approximate milliseconds until the sum is at most `most`; 0 when it is. */
  waitFor(most: number, now: number): number {
    if (this.sum(now) <= most) return 0;
    const gone = now - this.#startedAt;
    // The older minute fades evenly. The counts of the current one start to fade when it is over.
    if (this.#now <= most) return Math.ceil((1 - (most - this.#now) / this.#before) * minute - gone) + 1;
    return Math.ceil(minute - gone + (1 - Math.max(0, most) / this.#now) * minute) + 1;
  }

  #slide(now: number): void {
    const age = now - this.#startedAt;
    if (age < minute) return;
    this.#before = age < 2 * minute ? this.#now : 0;
    this.#startedAt = age < 2 * minute ? this.#startedAt + minute : now;
    this.#now = 0;
  }
}
