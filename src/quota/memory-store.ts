/** Counters in this process: for one node, or per node when nodes count separately. Synchronous. */
import type { Demand } from './limit-requests.ts';
import {
  type Actual,
  type CounterState,
  amountWait,
  minuteMs,
  type Place,
  type QuotaStore,
  type Verdict,
  windowSum,
  windowWait,
} from './counter-store.ts';

/** Counts of the latest minutes with activity. */
class Window {
  #minute = 0;
  current = 0;
  before = 0;

  slide(at: number): void {
    const minute = Math.floor(at / minuteMs);
    if (minute <= this.#minute) return;
    this.before = minute === this.#minute + 1 ? this.current : 0;
    this.current = 0;
    this.#minute = minute;
  }

  /** Changes the count of the minute of `at`, if it is still kept. */
  add(amount: number, at: number): void {
    const age = this.#minute - Math.floor(at / minuteMs);
    if (age === 0) this.current = Math.max(0, this.current + amount);
    else if (age === 1) this.before = Math.max(0, this.before + amount);
  }

  /** Replaces all counts by that of the current minute. */
  set(amount: number): void {
    this.current = amount;
    this.before = 0;
  }

  get idle(): boolean {
    return this.current === 0 && this.before === 0;
  }
}

/** The tolerance for rounding errors in a sum of fractional amounts. */
const rounding = 0.000_001;

/** Concurrent calls or money: the settled amount, and the reservations of calls in progress. */
interface Amounts {
  settled: number;
  reserved: number;
  until: number;
}

/** Above this number, counters without recent use are removed. */
const sweepFrom = 10_000;

export interface MemoryStore extends QuotaStore {
  take(place: Place): Verdict;
  atLeast(key: string, amount: number, until: number): void;
  /**
   * Takes over what a shared store has counted, with a call that it admitted: windows and money as they are there, concurrent calls of this
   * process.
   */
  follow(demands: readonly Demand[], verdict: Verdict, at: number): void;
  /** A call that `follow` has counted ended. */
  unfollow(demands: readonly Demand[]): void;
  /** The number of counters. */
  readonly size: number;
}

export function createMemoryStore(): MemoryStore {
  const windows = new Map<string, Window>();
  const amounts = new Map<string, Amounts>();
  let sweepAt = sweepFrom;

  const sweep = (at: number): void => {
    if (windows.size + amounts.size < sweepAt) return;
    for (const [key, window] of windows) {
      window.slide(at);
      if (window.idle) windows.delete(key);
    }
    for (const [key, amountsOfKey] of amounts)
      if (amountsOfKey.reserved === 0 && (amountsOfKey.until === 0 || amountsOfKey.until < Math.min(at, Date.now()))) amounts.delete(key);
    sweepAt = Math.max(sweepFrom, 2 * (windows.size + amounts.size));
  };
  const windowOf = (key: string, at: number): Window => {
    let window = windows.get(key);
    if (window === undefined) windows.set(key, (window = new Window()));
    window.slide(at);
    return window;
  };
  const amountsOf = ({ key, until }: Pick<Demand, 'key' | 'until'>): Amounts => {
    let amountsOfKey = amounts.get(key);
    if (amountsOfKey === undefined) amounts.set(key, (amountsOfKey = { settled: 0, reserved: 0, until }));
    return amountsOfKey;
  };
  const isWindow = ({ measure }: Demand): boolean => measure === 'requests' || measure === 'tokens';

  const look = (demand: Demand, at: number): CounterState & { readonly full: boolean } => {
    const { limit, amount } = demand;
    if (isWindow(demand)) {
      const { current, before } = windowOf(demand.key, at);
      const used = windowSum(current, before, at);
      return { used, full: used + amount > limit, waitMs: windowWait(current, before, limit, amount, at) };
    }
    const { settled, reserved } = amountsOf(demand);
    const used = settled + reserved;
    const full = used + amount > limit + rounding;
    return { used, full, waitMs: full ? amountWait(demand, at) : 0 };
  };

  const peek = (demands: readonly Demand[], at: number): Verdict => {
    const counters = demands.map((demand) => look(demand, at));
    const refused = counters.findIndex(({ full }) => full);
    return { refused: refused === -1 ? null : refused, counters };
  };

  return {
    get size() {
      return windows.size + amounts.size;
    },
    peek,
    take({ demands, at }): Verdict {
      sweep(at);
      const verdict = peek(demands, at);
      if (verdict.refused !== null) return verdict;
      for (const demand of demands) {
        if (isWindow(demand)) windowOf(demand.key, at).add(demand.amount, at);
        else amountsOf(demand).reserved += demand.amount;
      }
      return verdict;
    },
    settle({ demands, at }: Place, actual: Actual) {
      for (const [index, demand] of demands.entries()) {
        const used = actual[index] ?? 0;
        if (isWindow(demand)) windows.get(demand.key)?.add(used - demand.amount, at);
        else {
          const amountsOfKey = amountsOf(demand);
          amountsOfKey.reserved -= demand.amount;
          if (demand.measure === 'spend') amountsOfKey.settled += used;
        }
      }
    },
    atLeast(key, amount, until) {
      const amountsOfKey = amountsOf({ key, until });
      amountsOfKey.settled = Math.max(amountsOfKey.settled, amount);
    },
    follow(demands, { refused, counters }, at) {
      sweep(at);
      for (const [index, demand] of demands.entries()) {
        const { used = 0, settled = 0 } = counters[index] ?? {};
        const added = refused === null ? demand.amount : 0;
        if (isWindow(demand)) windowOf(demand.key, at).set(used + added);
        else if (demand.measure === 'spend') amountsOf(demand).settled = Math.max(amountsOf(demand).settled, settled);
        else amountsOf(demand).reserved += added;
      }
    },
    unfollow(demands) {
      for (const demand of demands) if (demand.measure === 'concurrent') amountsOf(demand).reserved -= demand.amount;
    },
  };
}
