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

/** What one process learns of a deployment and the other processes of the machine follow. `key`: that of the deployment. */
export type DeploymentUpdate =
  | { readonly type: 'circuit'; readonly key: string; readonly state: 'open' | 'closed'; readonly by: 'calls' | 'probes' }
  /** The vendor asked for a pause (Retry-After). */
  | { readonly type: 'wait'; readonly key: string; readonly waitMs: number };

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
