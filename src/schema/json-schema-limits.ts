/** Limits of a JSON Schema that are checked before it is compiled: draft, size, circular references, cost of a check. */
import { pointedTo } from './json-pointer.ts';
import { isJsonObject, type Json, type JsonObject } from '../types/json.ts';

const mostValues = 20_000;
const mostDepth = 200;
/** The validator nests code for each of them. V8 fails at about two thousand levels. */
const mostBeside = 1_000;
const mostPlainValues = 200;

const drafts = ['2020-12', '2019-09', 'draft-07', 'draft-06'] as const;
export type Draft = (typeof drafts)[number];

/** Throws an Error with a sentence for an unknown draft. */
export function draftOf(schema: JsonObject): Draft {
  const named = schema['$schema'];
  if (named === undefined) return '2020-12';
  const [, own] = /^https?:\/\/json-schema\.org\/(?:draft\/)?([\w-]+)\/schema#?$/.exec(typeof named === 'string' ? named : '') ?? [];
  const draft = drafts.find((each) => each === own);
  if (draft === undefined)
    throw new Error(`$schema ${JSON.stringify(named).slice(0, 100)} is not known here; there are ${drafts.join(', ')} of json-schema.org`);
  return draft;
}

/** Counts the values of the schema, nested ones included. Throws an Error with a sentence when it is too large. */
export function sizeOf(schema: JsonObject): number {
  let values = 0;
  const open: [Json, number][] = [[schema, 1]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [value, depth] = next;
    if (++values > mostValues) throw new Error(`the schema is too large: more than ${mostValues} values`);
    if (depth > mostDepth) throw new Error(`the schema is nested deeper than ${mostDepth} levels`);
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, inner] of Object.entries(value)) {
      open.push([inner as Json, depth + 1]);
      const beside = key === 'properties' || key === 'allOf' ? Object.keys(isJsonObject(inner) || Array.isArray(inner) ? inner : {}) : [];
      if (beside.length > mostBeside) throw new Error(`the schema has more than ${mostBeside} ${key} in one place`);
    }
  }
  return values;
}

const cheap = new Set(
  [
    ['$schema', '$comment', 'title', 'description', 'default', 'examples', 'format', 'deprecated', 'readOnly', 'writeOnly'],
    ['type', 'enum', 'const', 'required', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
    ['minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties', 'maxProperties'],
  ].flat(),
);

function onlyCheap(schema: Json | undefined): boolean {
  if (!isJsonObject(schema)) return typeof schema === 'boolean';
  return Object.entries(schema).every(([key, value]) => {
    if (key === 'properties') return isJsonObject(value) && Object.values(value).every(onlyCheap);
    return key === 'items' || key === 'additionalProperties' ? onlyCheap(value) : cheap.has(key);
  });
}

/** True when a check visits each value once: no references, alternatives, patterns or unique items. */
export function isCheapToCheck(schema: JsonObject, values: number): boolean {
  return values <= mostPlainValues && onlyCheap(schema);
}

/** Subschemas that apply to the same value as `schema`. */
function inPlace(schema: JsonObject, target: (reference: string) => Json | undefined): JsonObject[] {
  const lists = ['allOf', 'anyOf', 'oneOf'].flatMap((key) => (Array.isArray(schema[key]) ? schema[key] : []));
  const alone = ['not', 'if', 'then', 'else'].map((key) => schema[key]);
  const dependent = ['dependentSchemas', 'dependencies'].flatMap((key) => (isJsonObject(schema[key]) ? Object.values(schema[key]) : []));
  const references = ['$ref', '$dynamicRef', '$recursiveRef'].map((key) =>
    typeof schema[key] === 'string' ? target(schema[key]) : undefined,
  );
  return [...lists, ...alone, ...dependent, ...references].filter(isJsonObject);
}

/** True when a check could loop: a reference returns to its start without descending into the value. */
export function hasCircularReference(root: JsonObject): boolean {
  const all: JsonObject[] = [];
  const anchors = new Map<string, JsonObject>();
  const open: Json[] = [root];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value !== 'object' || value === null) continue;
    open.push(...(Object.values(value) as Json[]));
    if (!isJsonObject(value)) continue;
    all.push(value);
    for (const key of ['$anchor', '$dynamicAnchor']) if (typeof value[key] === 'string') anchors.set(`#${value[key]}`, value);
  }
  const target = (reference: string): Json | undefined => pointedTo(root, reference) ?? anchors.get(reference);
  // Depth-first without recursion. A schema is `open` while its subschemas are visited.
  const state = new Map<JsonObject, 'open' | 'done'>();
  for (const start of all) {
    const path: { schema: JsonObject; left: JsonObject[] }[] = [];
    const enter = (schema: JsonObject): void => {
      state.set(schema, 'open');
      path.push({ schema, left: inPlace(schema, target) });
    };
    if (!state.has(start)) enter(start);
    for (let here = path.at(-1); here !== undefined; here = path.at(-1)) {
      const next = here.left.pop();
      if (next === undefined) {
        state.set(here.schema, 'done');
        path.pop();
      } else if (state.get(next) === 'open') return true;
      else if (!state.has(next)) enter(next);
    }
  }
  return false;
}
