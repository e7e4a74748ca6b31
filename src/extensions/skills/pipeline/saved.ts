/** What can be found wrong with a pipeline when it is saved. */
import type { GatewayError } from '../../../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { compileSchema, type SchemaCheck } from '../../../types/schema-check.ts';
import { mayHave } from '../asking/known-places.ts';
import { conditionPlaces } from './conditions.ts';
import { invalid, type Step } from './options.ts';
import { placesIn } from './places.ts';

/** Throws what `refuse` makes of the fault. */
export function requireSchema(schema: JsonObject, refuse: (sentence: string) => GatewayError): SchemaCheck {
  try {
    return compileSchema(schema);
  } catch (thrown) {
    throw refuse(`is no JSON Schema that can be used (${(thrown as Error).message.slice(0, 200)})`);
  }
}

/** What is known of the values that places may name; null: anything. */
type Shapes = ReadonlyMap<string, JsonObject | null>;

interface Place {
  readonly field: string;
  /** Within a list there are `item` and `index` too. */
  readonly inList?: boolean;
}

function requirePlaces({ field, inList }: Place, places: () => readonly (readonly string[])[], input: JsonObject, steps: Shapes): void {
  let found: readonly (readonly string[])[];
  try {
    found = places();
  } catch (thrown) {
    throw invalid(field, thrown instanceof Error ? thrown.message : 'is no template');
  }
  for (const [root = '', ...path] of found) {
    const shown = `{{${[root, ...path].join('.')}}}`;
    if (inList === true && (root === 'item' || root === 'index')) continue;
    if (root === 'input') {
      if (mayHave(input, path)) continue;
      const fields = isJsonObject(input['properties']) ? Object.keys(input['properties']).join(', ') : '';
      throw invalid(field, `${shown} is not in the input_schema; it has ${fields || 'no fields'}`);
    }
    const [name = '', ...inner] = path;
    const shape = root === 'steps' ? steps.get(name) : undefined;
    if (shape === undefined) {
      const known = ['input', ...[...steps.keys()].map((each) => `steps.${each}`), ...(inList === true ? ['item', 'index'] : [])];
      throw invalid(field, `${shown} is not known here; known are ${known.join(', ')}`);
    }
    if (shape !== null && !mayHave(shape, inner)) throw invalid(field, `${shown} is not in the schema of the step "${name}"`);
  }
}

const holdsPlaces = (value: Json): boolean => placesIn(value).length > 0;

/** A model step asks something, and a schema that is written out is one. Returns what its answer looks like. */
function requireModelStep(field: string, { use, with: given, each }: Step): JsonObject | null {
  if ((use !== undefined && !use.startsWith('model/')) || !isJsonObject(given)) return null;
  if (given['prompt'] === undefined && given['messages'] === undefined)
    throw invalid(field, 'asks the model nothing; give a prompt, or messages');
  const { schema } = given;
  if (!isJsonObject(schema) || holdsPlaces(schema)) return null;
  requireSchema(schema, (sentence) => invalid(`${field}.schema`, sentence));
  return each === undefined ? schema : { type: 'array', items: schema };
}

/** Throws `configuration_invalid` naming the field. */
export function requireSteps(steps: readonly Step[], output: Json | undefined, input: JsonObject): void {
  const known = new Map<string, JsonObject | null>();
  for (const [index, step] of steps.entries()) {
    const { id, with: given, when, each } = step;
    const field = `steps[${index}]`;
    if (known.has(id)) throw invalid(`${field}.id`, `"${id}" is there twice`);
    if (when !== undefined) requirePlaces({ field: `${field}.when` }, () => conditionPlaces(when), input, known);
    if (each !== undefined) requirePlaces({ field: `${field}.each` }, () => placesIn(each), input, known);
    requirePlaces({ field: `${field}.with`, inList: each !== undefined }, () => placesIn(given), input, known);
    known.set(id, requireModelStep(`${field}.with`, step));
  }
  if (output !== undefined) requirePlaces({ field: 'output' }, () => placesIn(output), input, known);
}
