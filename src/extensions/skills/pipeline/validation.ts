/** Validates a pipeline when it is saved. */
import type { Json, JsonObject } from '../../../types/json.ts';
import { conditionReferences } from './conditions.ts';
import { faultOfList, requireKnownReferences, type Scope } from './reference-check.ts';
import { requireModelStep } from './model-step-validation.ts';
import { invalid, noPlace, type Step } from './options.ts';
import { isReference, referencesIn } from './references.ts';

/** The list of a step: a reference that may be a list. */
function requireList(field: string, each: string, scope: Scope): void {
  const [place] = requireKnownReferences({ field }, () => referencesIn(each), scope);
  if (place === undefined) throw invalid(field, noPlace);
  const fault = isReference(each) ? faultOfList(field, place, scope) : null;
  if (fault !== null) throw fault;
}

/** Throws `configuration_invalid` naming the field. */
export function requireSteps(steps: readonly Step[], output: Json | undefined, input: JsonObject): void {
  const known = new Map<string, JsonObject | null>();
  const ids = steps.map(({ id }) => id);
  for (const [index, step] of steps.entries()) {
    const { id, with: given, when, each, at_once: concurrency } = step;
    const field = `steps[${index}]`;
    const scope = { input, steps: known, later: ids.slice(index) };
    if (known.has(id)) throw invalid(`${field}.id`, `"${id}" occurs twice`);
    if (when !== undefined) requireKnownReferences({ field: `${field}.when` }, () => conditionReferences(when), scope);
    if (each !== undefined) requireList(`${field}.each`, each, scope);
    else if (concurrency !== undefined) throw invalid(`${field}.at_once`, 'is for a step that has each; leave it out, or give each a list');
    requireKnownReferences({ field: `${field}.with`, inList: each !== undefined }, () => referencesIn(given), scope);
    known.set(id, requireModelStep(`${field}.with`, step));
  }
  if (output !== undefined) requireKnownReferences({ field: 'output' }, () => referencesIn(output), { input, steps: known, later: [] });
}
