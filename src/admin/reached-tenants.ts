/** The other tenants that a change of the configuration reaches, for its plan. */
import { offeredTo } from '../config/offers.ts';
import type { ConfigService } from '../config/service.ts';
import type { ConfigChange } from '../types/config-store.ts';
import type { ConfigRow } from '../types/resources.ts';

/** The names of the providers that a model calls. */
function providersOf({ spec }: ConfigRow): readonly string[] {
  const { deployments } = spec as { readonly deployments?: readonly { readonly provider?: string }[] };
  return (deployments ?? []).flatMap(({ provider }) => provider ?? []);
}

/**
 * Names the tenants with which a row is shared before or after its change, in alphabetical order. For a provider: those of the shared models
 * that call it now. `*` stands for every tenant. Call it before the change is made.
 */
export function reachedTenants(config: Pick<ConfigService, 'rows'>, tenant: string): (change: ConfigChange) => readonly string[] {
  const byProvider = new Map<string, Set<string>>();
  for (const model of config.rows(tenant, 'model'))
    for (const receiver of offeredTo(model))
      for (const provider of providersOf(model)) byProvider.set(provider, (byProvider.get(provider) ?? new Set()).add(receiver));
  return ({ before, after }) => {
    const named = [before, after].flatMap((row) => {
      if (row === null) return [];
      return row.kind === 'provider' ? [...(byProvider.get(row.name) ?? [])] : offeredTo(row);
    });
    return [...new Set(named)].toSorted();
  };
}
