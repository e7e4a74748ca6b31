/** Which deployments to try, in which order: tier by tier, within a tier as the strategy says. */
import type { LoadView, Strategy } from '../types/dispatch.ts';
import type { Deployment, ModelEntry } from '../types/snapshot.ts';

/** Empty if the model has no deployment that takes traffic. */
export function planDeployments(model: ModelEntry, strategy: Strategy, load: LoadView): readonly Deployment[] {
  const { deployments } = model;
  if (deployments.length <= 1) return deployments.filter((each) => each.weight > 0);
  const tiers = new Map<number, Deployment[]>();
  for (const deployment of deployments) {
    if (deployment.weight <= 0) continue;
    const tier = tiers.get(deployment.tier);
    if (tier === undefined) tiers.set(deployment.tier, [deployment]);
    else tier.push(deployment);
  }
  return [...tiers.keys()].toSorted((one, other) => one - other).flatMap((tier) => strategy.order(tiers.get(tier) ?? [], load));
}
