/** What the catalogue adds to a deployment: the price that its row leaves out, and how its answers are held to a schema. */
import type { KnownModel, ModelCatalogue } from '../types/known-model.ts';
import type { StructuredOutput } from '../types/structured-output.ts';
import { compilePrice, type Price } from '../types/price.ts';
import type { PriceSpec } from '../types/price-spec.ts';
import type { ConfigRow, ModelSpec } from '../types/resources.ts';
import type { Deployment, ProviderEntry } from '../types/snapshot.ts';
import type { ChatFormat } from '../types/wire-format.ts';

type DeploymentSpec = ModelSpec['deployments'][number];

/** The host of the address in the row; null where the kind has its own. */
function hostOf(row: ConfigRow | undefined): string | null {
  const address = (row?.spec['options'] as Readonly<Record<string, unknown>> | undefined)?.['base_url'];
  return typeof address === 'string' && URL.canParse(address) ? new URL(address).hostname : null;
}

/** The price in the currency that the provider's row names, else the usual one; undefined where none is known. */
function priceOf(known: KnownModel | undefined, currency: unknown): PriceSpec | undefined {
  if (known === undefined || typeof currency !== 'string') return known?.prices[0];
  return known.prices.find((price) => price.currency === currency);
}

/** One compiled price for each published one, so that deployments share what was reckoned for them. */
const compiled = new WeakMap<PriceSpec, Price>();

function compiledOf(spec: PriceSpec): Price {
  let price = compiled.get(spec);
  if (price === undefined) compiled.set(spec, (price = compilePrice(spec)));
  return price;
}

function fits(pattern: string, model: string): boolean {
  return new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`, 'i').test(model);
}

/** What the vendor's documents say of the model: by its name, else by what the format knows of names, else of all of them. */
function structuredByVendor({ instance }: ProviderEntry, format: ChatFormat | undefined, model: string): StructuredOutput | undefined {
  const { models = {}, usual } = instance.structuredOutput ?? {};
  const named = Object.entries(models).find(([pattern]) => fits(pattern, model))?.[1];
  return named ?? format?.structuredOutput?.(model) ?? usual;
}

/** A row's own word counts, then the provider's row, then the catalogue, then what the provider says of itself. */
export function cataloguedFacts(
  catalogue: ModelCatalogue,
  providerRow: ConfigRow | undefined,
  provider: ProviderEntry,
  each: DeploymentSpec,
  format: ChatFormat | undefined,
): Pick<Deployment, 'price' | 'known' | 'structuredOutput'> {
  const known = catalogue.find({ kind: provider.kind, host: hostOf(providerRow) }, each.model);
  const price = each.price ?? priceOf(known, providerRow?.spec['currency']);
  const structured =
    each.structured_output ??
    (providerRow?.spec['structured_output'] as StructuredOutput | undefined) ??
    known?.structured_output ??
    structuredByVendor(provider, format, each.model);
  return {
    price: price === undefined ? null : compiledOf(price),
    ...(known === undefined ? {} : { known }),
    ...(structured === undefined ? {} : { structuredOutput: structured }),
  };
}
