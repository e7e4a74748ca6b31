/** Facts about a model on `GET /v1/models`: what the catalogue knows and what holds for every deployment. */
import type { KnownModel } from '../../types/known-model.ts';
import type { PriceSpec } from '../../types/price-spec.ts';
import type { Deployment, ModelEntry } from '../../types/snapshot.ts';

export interface ModelFacts {
  readonly context_window?: number;
  readonly max_output_tokens?: number;
  readonly input_modalities?: readonly string[];
  readonly output_modalities?: readonly string[];
  readonly tools?: boolean;
  readonly thinking?: boolean | 'always';
  readonly reasoning_efforts?: readonly string[];
  /** The first day on which a deployment is retired. */
  readonly retires?: string;
  /** The prices by deployment, without duplicates. */
  readonly prices?: readonly PriceSpec[];
}

/** The values of one column for all deployments; null when one is unknown. */
function column<K extends keyof KnownModel>(deployments: readonly Deployment[], name: K): NonNullable<KnownModel[K]>[] | null {
  const values = deployments.map(({ known }) => known?.[name]);
  return values.length === 0 || values.includes(undefined) ? null : (values as NonNullable<KnownModel[K]>[]);
}

function common(lists: readonly (readonly string[])[] | null): readonly string[] | undefined {
  return lists === null ? undefined : lists[0]?.filter((each) => lists.every((list) => list.includes(each)));
}

function least(values: readonly number[] | null): number | undefined {
  return values === null ? undefined : Math.min(...values);
}

function distinctPrices(deployments: readonly Deployment[]): readonly PriceSpec[] {
  const specs = deployments.flatMap(({ price }) => (price === null ? [] : [price.spec]));
  const texts = new Map(specs.map((spec) => [JSON.stringify(spec), spec] as const));
  return [...texts.values()];
}

function readFacts({ deployments }: ModelEntry): ModelFacts {
  const tools = column(deployments, 'tools');
  const thinking = column(deployments, 'thinking');
  const retires = deployments.flatMap(({ known }) => known?.retires ?? []).toSorted();
  const prices = distinctPrices(deployments);
  const facts: { readonly [K in keyof ModelFacts]: ModelFacts[K] | undefined } = {
    context_window: least(column(deployments, 'context_window')),
    max_output_tokens: least(column(deployments, 'max_output')),
    input_modalities: common(column(deployments, 'input')),
    output_modalities: common(column(deployments, 'output')),
    tools: tools?.every(Boolean),
    thinking: thinking === null ? undefined : new Set(thinking).size === 1 ? thinking[0] : thinking.every((each) => each !== false),
    reasoning_efforts: common(column(deployments, 'efforts')),
    retires: retires[0],
    prices: prices.length === 0 ? undefined : prices,
  };
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as ModelFacts;
}

/** An entry of a snapshot never changes, and a list of all models would derive the facts of thousands. */
const factsByModel = new WeakMap<ModelEntry, ModelFacts>();

/** Unknown facts are left out. */
export function modelFacts(model: ModelEntry): ModelFacts {
  let facts = factsByModel.get(model);
  if (facts === undefined) factsByModel.set(model, (facts = readFacts(model)));
  return facts;
}
