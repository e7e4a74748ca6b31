/** Words of the router: which deployment next, and what is known about the load. */
import type { Deployment } from './snapshot.ts';

export interface DeploymentLoad {
  /** Attempts under way on this node. */
  readonly inFlight: number;
}

/** The live numbers of this node, by deployment id. */
export interface LoadView {
  of(deploymentId: string): DeploymentLoad;
}

/** Orders the deployments of one tier: the first is tried first. Must return each candidate exactly once. */
export interface Strategy {
  order(candidates: readonly Deployment[], load: LoadView): readonly Deployment[];
}
