/** The catalogue of upstream models: one table per vendor, read on first use, below an operator's own entries. */
import { readFileSync } from 'node:fs';
import type { KnownModel, ModelCatalogue, ModelSource, OperatorModel, VendorTable } from '../../types/known-model.ts';
import { indexModels, type ModelTable } from './table.ts';
import { catalogueVendors, type CatalogueVendor, vendorOf } from './vendors.ts';

type Entry = KnownModel & { readonly also?: readonly string[] | undefined };

const listed = <T>(value: T | readonly T[] | undefined): readonly T[] =>
  value === undefined ? [] : Array.isArray(value) ? (value as readonly T[]) : [value as T];

/** A test validates the files, so that the start need not. */
function readTable({ id }: CatalogueVendor): ModelTable<Entry> {
  const table = JSON.parse(readFileSync(new URL(`vendors/${id}.json`, import.meta.url), 'utf8')) as VendorTable;
  return indexModels(
    table.models.map(({ price, source, ...facts }): Entry => {
      const known = table.sources[source];
      return { ...facts, vendor: id, prices: listed(price), sources: known === undefined ? [] : [known] };
    }),
  );
}

/** The operator's columns replace the known ones. */
function overridden(known: KnownModel | undefined, own: OperatorModel): KnownModel {
  const { kind, model, price, source, date, ...facts } = own;
  const operatorSource: ModelSource = { title: source ?? "the operator's file", ...(date === undefined ? {} : { date }) };
  return {
    vendor: kind,
    model,
    ...known,
    ...facts,
    prices: price === undefined ? (known?.prices ?? []) : listed(price),
    sources: [...(known?.sources ?? []), operatorSource],
  };
}

export function createModelCatalogue(operator: readonly OperatorModel[] = []): ModelCatalogue {
  const tables = new Map<string, ModelTable<Entry>>();
  const tableOf = (vendor: CatalogueVendor): ModelTable<Entry> => {
    let table = tables.get(vendor.id);
    if (table === undefined) tables.set(vendor.id, (table = readTable(vendor)));
    return table;
  };
  const own = new Map([...Map.groupBy(operator, ({ kind }) => kind)].map(([kind, models]) => [kind, indexModels(models)] as const));
  return {
    find(provider, model) {
      const vendor = vendorOf(provider);
      const known = vendor === undefined ? undefined : tableOf(vendor).find(model);
      const operatorSource = own.get(provider.kind)?.find(model);
      return operatorSource === undefined ? known : overridden(known, operatorSource);
    },
    all() {
      const changed = new Map<string, KnownModel>();
      for (const each of operator) {
        const vendor = vendorOf({ kind: each.kind, host: null });
        const known = vendor === undefined ? undefined : tableOf(vendor).find(each.model);
        const merged = overridden(known, each);
        changed.set(`${merged.vendor} ${merged.model}`, merged);
      }
      const keyOf = ({ vendor, model }: KnownModel): string => `${vendor} ${model}`;
      const builtIn = catalogueVendors.flatMap((vendor): readonly KnownModel[] => tableOf(vendor).models);
      const names = new Set(builtIn.map(keyOf));
      return [
        ...builtIn.map((each) => changed.get(keyOf(each)) ?? each),
        ...[...changed.values()].filter((each) => !names.has(keyOf(each))),
      ];
    },
  };
}
