/** A table of models, found by name: as written, without a prefix, then by the family of a dated name. */
import { undated, unprefixed } from './names.ts';

export interface NamedModel {
  readonly model: string;
  readonly also?: readonly string[] | undefined;
}

export interface ModelTable<M extends NamedModel> {
  readonly models: readonly M[];
  find(model: string): M | undefined;
}

export function indexModels<M extends NamedModel>(models: readonly M[]): ModelTable<M> {
  const byName = new Map<string, M>();
  /** The newest snapshot of each family, for names without a date. */
  const byFamily = new Map<string, M>();
  for (const model of models) {
    for (const name of [model.model, ...(model.also ?? [])]) {
      const lower = name.toLowerCase();
      byName.set(lower, model);
      const family = undated(lower);
      const known = byFamily.get(family);
      if (known === undefined || known.model < model.model) byFamily.set(family, model);
    }
  }
  return {
    models,
    find(model) {
      const names = unprefixed(model);
      for (const name of names) {
        const found = byName.get(name) ?? byName.get(undated(name));
        if (found !== undefined) return found;
      }
      // Only a name without a date may match a snapshot. A name with another date is another model.
      for (const name of names) {
        const found = undated(name) === name ? byFamily.get(name) : undefined;
        if (found !== undefined) return found;
      }
      return undefined;
    },
  };
}
