/** The local view of shared counters: the reservations of this node's calls, and recent refusals until they expire. */
import type { Demand } from './limit-requests.ts';
import type { Place, Verdict } from './counter-store.ts';

export interface NodeView {
  took(place: Place, verdict: Verdict): void;
  settled(place: Place): void;
  /** Errs on the side of room: reservations of other nodes since the last refusal are unknown here, and a step of the clock ends what is known. */
  peek(demands: readonly Demand[], at: number): Verdict;
}

interface Full {
  /** The refusal, and the end of what it tells; both by the clock of the store. */
  readonly at: number;
  readonly until: number;
  /** After a limit was raised, the earlier refusal no longer applies. */
  readonly limit: number;
}

/** Above this number, expired refusals are removed. */
const sweepFrom = 10_000;

export function createNodeView(): NodeView {
  const places = new Map<string, number>();
  const full = new Map<string, Full>();

  const hold = ({ demands }: Place, by: number): void => {
    for (const { measure, key } of demands) {
      if (measure !== 'concurrent') continue;
      const count = (places.get(key) ?? 0) + by;
      if (count > 0) places.set(key, count);
      else places.delete(key);
    }
  };

  return {
    took(place, { refused, counters }) {
      if (refused === null) {
        hold(place, 1);
        return;
      }
      const demand = place.demands[refused];
      const waitMs = counters[refused]?.waitMs ?? 0;
      if (demand?.measure !== 'requests' || !Number.isFinite(waitMs)) return;
      full.set(demand.key, { at: place.at, until: place.at + waitMs, limit: demand.limit });
      if (full.size > sweepFrom) for (const [key, { until }] of full) if (until <= place.at) full.delete(key);
    },
    settled: (place) => hold(place, -1),
    peek(demands, at) {
      const counters = demands.map(({ measure, key, limit }) => {
        if (measure === 'concurrent') {
          const used = places.get(key) ?? 0;
          return { used, waitMs: used >= limit ? 1_000 : 0 };
        }
        const known = full.get(key);
        const waitMs = known !== undefined && known.limit === limit && at >= known.at ? Math.max(0, known.until - at) : 0;
        return { used: waitMs > 0 ? limit : 0, waitMs };
      });
      const refused = counters.findIndex(({ waitMs }) => waitMs > 0);
      return { refused: refused === -1 ? null : refused, counters };
    },
  };
}
