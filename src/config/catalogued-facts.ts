/** Adds facts of the catalogue to a deployment: a missing price, the support for JSON Schema, and its reasoning. */
import type { KnownModel, ModelCatalogue } from '../types/known-model.ts';
import type { ThoughtsReturn } from '../types/model-reasoning.ts';
import type { StructuredOutput } from '../types/structured-output.ts';
import { compilePrice, type Price } from '../types/price.ts';
import type { PriceSpec } from '../types/price-spec.ts';
import type { ConfigRow, ModelSpec } from '../types/resources.ts';
import type { Deployment, ProviderEntry } from '../types/snapshot.ts';
import { reasoningOf, replaysOf } from './model-reasoning.ts';
import type { ChatFormat } from '../types/wire-format.ts';

type DeploymentSpec = ModelSpec['deployments'][number];

/** The host of the row's address; null when the kind has its own. */
function hostOf(row: ConfigRow | undefined): string | null {
  const address = (row?.spec['options'] as Readonly<Record<string, unknown>> | undefined)?.['base_url'];
  return typeof address === 'string' && URL.canParse(address) ? new URL(address).hostname : null;
}

/** The price in the currency of the provider's row, else the usual one; undefined when unknown. */
function priceOf(known: KnownModel | undefined, currency: unknown): PriceSpec | undefined {
  if (known === undefined || typeof currency !== 'string') return known?.prices[0];
  return known.prices.find((price) => price.currency === currency);
}

/** One compiled price per published price, shared by deployments. */
const compiled = new WeakMap<PriceSpec, Price>();

function compiledOf(spec: PriceSpec): Price {
  let price = compiled.get(spec);
  if (price === undefined) compiled.set(spec, (price = compilePrice(spec)));
  return price;
}

function fits(pattern: string, model: string): boolean {
  return new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`, 'i').test(model);
}

/** The schema support of the model: by its name, by the format, then by the vendor. */
function structuredByVendor({ instance }: ProviderEntry, format: ChatFormat | undefined, model: string): StructuredOutput | undefined {
  const { models = {}, usual } = instance.structuredOutput ?? {};
  const named = Object.entries(models).find(([pattern]) => fits(pattern, model))?.[1];
  return named ?? format?.structuredOutput?.(model) ?? usual;
}

/** Precedence: the deployment's row, the provider's row, the catalogue, the provider's own data. */
export function cataloguedFacts(
  catalogue: ModelCatalogue,
  providerRow: ConfigRow | undefined,
  provider: ProviderEntry,
  each: DeploymentSpec,
  format: ChatFormat | undefined,
): Pick<Deployment, 'price' | 'known' | 'structuredOutput' | 'reasoning' | 'replays'> {
  const known = catalogue.find({ kind: provider.kind, host: hostOf(providerRow) }, each.model);
  const price = each.price ?? priceOf(known, providerRow?.spec['currency']);
  const structured =
    each.structured_output ??
    (providerRow?.spec['structured_output'] as StructuredOutput | undefined) ??
    known?.structured_output ??
    structuredByVendor(provider, format, each.model);
  const providerReturns = providerRow?.spec['thoughts_return'] as ThoughtsReturn | undefined;
  const reasoning = reasoningOf(each, providerReturns, known);
  return {
    reasoning,
    replays: replaysOf(provider.instance, reasoning, (each.thoughts_return ?? providerReturns) !== undefined),
    price: price === undefined ? null : compiledOf(price),
    ...(known === undefined ? {} : { known }),
    ...(structured === undefined ? {} : { structuredOutput: structured }),
  };
}
