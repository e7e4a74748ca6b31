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

/** The faults of one model's fallbacks. `rows` include disabled ones, which are skipped at call time. */
export function fallbackFaults(
  model: ModelEntry,
  models: ReadonlyMap<string, ModelEntry>,
  rows: ReadonlyMap<string, unknown>,
): readonly GatewayError[] {
  if (model.spec.fallbacks.length === 0) return [];
  const faults = model.spec.fallbacks.flatMap(({ model: name }, index) =>
    rows.has(name) ? [] : [unknownName('model', name, models.keys(), `spec.fallbacks[${index}].model`)],
  );
  const circle = circleFrom(model, models);
  if (circle === null) return faults;
  const param = 'spec.fallbacks';
  const message = `${param}: the fallbacks form a cycle: ${circle.join(' -> ')}. Leave one of them out.`;
  return [...faults, new GatewayError('configuration_invalid', message, { param })];
}
