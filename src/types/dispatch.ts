/** Types of the router: candidates and load. */
import type { Deployment, ModelEntry } from './snapshot.ts';

export interface DeploymentLoad {
  /** Attempts in progress on this node. */
  readonly inFlight: number;
  /** All attempts since the start, including those in progress. */
  readonly attempts: number;
  /** Milliseconds to the first visible token, weighted to the latest attempts; null before the first success. */
  readonly firstTokenMs: number | null;
}

/** The input of a strategy. Live numbers are those of this node. */
export interface RoutingContext {
  readonly model: ModelEntry;
  readonly load: (deployment: Deployment) => DeploymentLoad;
  /** The same text for calls that belong together, such as one conversation, so that they hit vendors' prompt caches. */
  readonly affinity: () => string;
  /** From 0 inclusive to 1 exclusive. */
  readonly random: () => number;
  /** True for a dry run. It must not change any state. */
  readonly asking: boolean;
}

/** Orders the deployments of one tier, best first. Must return each candidate exactly once. */
export interface Strategy {
  order(candidates: readonly Deployment[], context: RoutingContext): readonly Deployment[];
}
