/** Orders the deployments of a model: tier by tier, and within a tier by the strategy. */
import type { RoutingContext, Strategy } from '../types/dispatch.ts';
import type { Deployment } from '../types/snapshot.ts';

/** Empty when the model has no deployment with traffic. */
export function planDeployments(strategy: Strategy, context: RoutingContext): readonly Deployment[] {
  const { deployments } = context.model;
  if (deployments.length <= 1) return deployments.filter((each) => each.weight > 0);
  const tiers = new Map<number, Deployment[]>();
  for (const deployment of deployments) {
    if (deployment.weight <= 0) continue;
    const tier = tiers.get(deployment.tier);
    if (tier === undefined) tiers.set(deployment.tier, [deployment]);
    else tier.push(deployment);
  }
  return [...tiers.keys()]
    .toSorted((one, other) => one - other)
    .flatMap((tier) => {
      const candidates = tiers.get(tier) ?? [];
      return candidates.length === 1 ? candidates : strategy.order(candidates, context);
    });
}
