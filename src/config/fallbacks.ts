/** Finds fallbacks that lead nowhere or form a cycle. */
import { GatewayError } from '../types/errors.ts';
import type { ModelEntry } from '../types/snapshot.ts';
import { unknownName } from './validation-errors.ts';

/** The names from `start` back to `start` along fallbacks; null when there is no cycle. */
function cycleFrom(start: ModelEntry, models: ReadonlyMap<string, ModelEntry>): string[] | null {
  const reached = [start];
  /** The model by which each one was first reached. */
  const previous = new Map<string, string>();
  for (const model of reached) {
    for (const { model: name } of model.spec.fallbacks) {
      if (name === start.name) {
        const names = [name];
        for (let at: string | undefined = model.name; at !== undefined; at = previous.get(at)) names.push(at);
        return names.toReversed();
      }
      const next = models.get(name);
      if (next === undefined || previous.has(name)) continue;
      previous.set(name, model.name);
      reached.push(next);
    }
  }
  return null;
}

/** The faults of one model's fallbacks. Disabled rows are known; they are skipped at call time. */
export function fallbackFaults(
  model: ModelEntry,
  models: ReadonlyMap<string, ModelEntry>,
  isKnown: (name: string) => boolean,
): readonly GatewayError[] {
  if (model.spec.fallbacks.length === 0) return [];
  const faults = model.spec.fallbacks.flatMap(({ model: name }, index) =>
    isKnown(name) ? [] : [unknownName('model', name, models.keys(), `spec.fallbacks[${index}].model`)],
  );
  const cycle = cycleFrom(model, models);
  if (cycle === null) return faults;
  const param = 'spec.fallbacks';
  const message = `${param}: the fallbacks form a cycle: ${cycle.join(' -> ')}. Leave one of them out.`;
  return [...faults, new GatewayError('configuration_invalid', message, { param })];
}
