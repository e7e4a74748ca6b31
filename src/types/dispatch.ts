/** Words of the router: which deployment next, and what is known about the load. */
import type { Deployment, ModelEntry } from './snapshot.ts';

export interface DeploymentLoad {
  /** Attempts under way on this node. */
  readonly inFlight: number;
  /** All that it was ever given, those too. */
  readonly attempts: number;
  /** Milliseconds to the first visible token, of the latest attempts most; null before the first success. */
  readonly firstTokenMs: number | null;
}

/** What a strategy may look at. Live numbers are those of this node. */
export interface RoutingContext {
  readonly model: ModelEntry;
  readonly load: (deployment: Deployment) => DeploymentLoad;
  /** The same text for calls that belong together (one conversation, one caller), so that vendors' prompt caches hit. */
  readonly affinity: () => string;
  /** From 0 to 1, 1 excluded. */
  readonly random: () => number;
  /** Nobody is called: the question is only what would be done. It must leave no trace. */
  readonly asking: boolean;
}

/** Orders the deployments of one tier: the first is tried first. Must return each candidate exactly once. */
export interface Strategy {
  order(candidates: readonly Deployment[], context: RoutingContext): readonly Deployment[];
}
