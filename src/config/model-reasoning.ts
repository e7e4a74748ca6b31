/** Resolves the reasoning of a deployment and the fields in which its thoughts go back to the vendor. */
import { reasoningFamily } from '../models/catalogue/reasoning-families.ts';
import type { KnownModel } from '../types/known-model.ts';
import type { ModelReasoning, ThoughtsReturn } from '../types/model-reasoning.ts';
import type { Provider } from '../types/provider.ts';
import type { ModelSpec } from '../types/resources.ts';

type DeploymentSpec = ModelSpec['deployments'][number];

/** Precedence: the deployment's row, the provider's row, the catalogue, the family of the model's name. */
export function reasoningOf(
  each: DeploymentSpec,
  providerReturns: ThoughtsReturn | undefined,
  known: KnownModel | undefined,
): ModelReasoning {
  const family = reasoningFamily(each.model);
  const catalogued = known?.thinking === true && family?.thinking === 'always' ? 'always' : known?.thinking;
  const thinking = each.thinking ?? catalogued ?? family?.thinking;
  const ownEfforts = each.efforts ?? known?.efforts;
  const efforts = ownEfforts ?? family?.efforts;
  const thoughtsReturn = each.thoughts_return ?? providerReturns ?? known?.thoughts_return ?? family?.thoughtsReturn;
  return {
    ...(thinking === undefined ? {} : { thinking }),
    ...(efforts === undefined ? {} : { efforts, ...(ownEfforts === undefined ? {} : { vendorEfforts: true }) }),
    ...(thoughtsReturn === undefined ? {} : { thoughtsReturn }),
  };
}

/** The fields of earlier messages that go back to the vendor. `chosen`: by a row, which comes before the vendor's own rule. */
export function replaysOf(provider: Provider, { thoughtsReturn }: ModelReasoning, chosen: boolean): readonly string[] {
  const usual = provider.replays ?? (provider.replaysReasoning === true ? ['reasoning_content'] : []);
  if (thoughtsReturn === 'with_tools') return usual.length > 0 ? usual : (provider.thoughtFields ?? []);
  return thoughtsReturn === 'never' && chosen ? [] : usual;
}
