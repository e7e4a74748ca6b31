/** Finds fallbacks that lead nowhere or in a circle. */
import { GatewayError } from '../types/errors.ts';
import type { ModelEntry } from '../types/snapshot.ts';
import { unknownName } from './validation-errors.ts';

/** The names from `start` back to `start` along fallbacks; null when there is no circle. */
function circleFrom(start: ModelEntry, models: ReadonlyMap<string, ModelEntry>): string[] | null {
  const seen = new Set<string>();
  const walk = (model: ModelEntry, way: readonly string[]): string[] | null => {
    for (const { model: name } of model.spec.fallbacks) {
      if (name === start.name) return [...way, name];
      const next = models.get(name);
      if (next === undefined || seen.has(name)) continue;
      seen.add(name);
      const found = walk(next, [...way, name]);
      if (found !== null) return found;
    }
    return null;
  };
  return walk(start, [start.name]);
}

/** The faults of one tenant's fallbacks. `exists` includes disabled rows, which are skipped at call time. */
export function fallbackFaults(
  models: ReadonlyMap<string, ModelEntry>,
  exists: (name: string) => boolean,
): { readonly name: string; readonly error: GatewayError }[] {
  const faults: { name: string; error: GatewayError }[] = [];
  for (const model of models.values()) {
    if (model.spec.fallbacks.length === 0) continue;
    for (const [index, { model: name }] of model.spec.fallbacks.entries()) {
      const param = `spec.fallbacks[${index}].model`;
      if (!exists(name)) faults.push({ name: model.name, error: unknownName('model', name, models.keys(), param) });
    }
    const circle = circleFrom(model, models);
    if (circle === null) continue;
    const param = 'spec.fallbacks';
    faults.push({
      name: model.name,
      error: new GatewayError(
        'configuration_invalid',
        `${param}: the fallbacks form a cycle: ${circle.join(' -> ')}. Leave one of them out.`,
        {
          param,
        },
      ),
    });
  }
  return faults;
}
