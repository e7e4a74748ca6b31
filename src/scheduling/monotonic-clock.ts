/** Clocks for durations. An operator or a time service may step the wall clock, by hours and in either direction. */

/**
 * Milliseconds that no step of the wall clock changes: the time since the start of the process, counted from the epoch milliseconds at its
 * start. For durations and deadlines within this process. Never stored, and never compared with `Date.now()`.
 */
export function monotonicNow(): number {
  return Math.round(performance.timeOrigin + performance.now());
}

/** The age of a moment of the wall clock. Infinity for a moment in the future: what is from before a step backwards counts as old. */
export function wallAge(at: number, now: number = Date.now()): number {
  return at > now ? Infinity : now - at;
}

/** A span of time that is over as soon as either clock says so: the wall clock may be stepped, and the other one stands still while a machine sleeps. */
export class Lifetime {
  readonly #wallEnd: number;
  readonly #end: number;

  constructor(milliseconds: number) {
    this.#wallEnd = Date.now() + milliseconds;
    this.#end = monotonicNow() + milliseconds;
  }

  get isOver(): boolean {
    return Date.now() >= this.#wallEnd || monotonicNow() >= this.#end;
  }
}
