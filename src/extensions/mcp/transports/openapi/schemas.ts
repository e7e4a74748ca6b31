/** Schemas of an OpenAPI document as JSON Schema that stands for itself: what they refer to comes along, also what refers to itself. */
import { isJsonObject, type Json, type JsonObject } from '../../../../types/json.ts';
import { DocumentError, lookUp } from './document.ts';

const mostDefinitions = 500;

/** Words of OpenAPI that JSON Schema does not know, and that models need not read. */
const dropped = new Set(['xml', 'externalDocs', 'discriminator', 'nullable', 'example']);
/** Here the keys are names of the API's own, whatever they look like. */
const maps = new Set(['properties', 'patternProperties', '$defs', 'dependentSchemas']);
/** Here values stand as they are. */
const literal = new Set(['default', 'const', 'enum', 'examples', 'example']);

/** OpenAPI 3.0 wrote `exclusiveMinimum: true` beside `minimum`. */
function withExclusive(schema: JsonObject): JsonObject {
  const next: Record<string, Json | undefined> = { ...schema };
  for (const [flag, bound] of [
    ['exclusiveMinimum', 'minimum'],
    ['exclusiveMaximum', 'maximum'],
  ] as const) {
    if (typeof next[flag] !== 'boolean') continue;
    if (next[flag] && typeof next[bound] === 'number') {
      next[flag] = next[bound];
      delete next[bound];
    } else delete next[flag];
  }
  return next;
}

/** `nullable: true` of OpenAPI 3.0: the type, and the list of values, may be null too. */
function withNull(schema: JsonObject): JsonObject {
  const { type, enum: values } = schema;
  const types = typeof type === 'string' ? [type] : Array.isArray(type) ? type : null;
  if (types === null) return { anyOf: [schema, { type: 'null' }] };
  return {
    ...schema,
    type: types.includes('null') ? types : [...types, 'null'],
    ...(Array.isArray(values) && !values.includes(null) ? { enum: [...values, null] } : {}),
  };
}

export interface SchemaCollector {
  /** The schema with references to `$defs`. Throws DocumentError. */
  take(schema: Json | undefined): JsonObject;
  /** What was referred to so far. */
  definitions(): JsonObject;
}

/** One for each schema that must stand for itself. */
export function collectSchemas(document: JsonObject): SchemaCollector {
  const names = new Map<string, string>();
  /** Not followed at once: references may lead on for ever, or deeper than the stack. */
  const waiting: [string, string][] = [];
  const found: Record<string, JsonObject> = {};

  const nameOf = (reference: string): string => {
    const known = names.get(reference);
    if (known !== undefined) return known;
    if (names.size >= mostDefinitions) throw new DocumentError(`needs more than ${mostDefinitions} definitions for one operation`);
    const wanted = reference.slice(reference.lastIndexOf('/') + 1).replace(/[^A-Za-z0-9_.-]/g, '_') || 'schema';
    const taken = new Set(names.values());
    const name = taken.has(wanted) ? `${wanted}_${names.size}` : wanted;
    names.set(reference, name);
    waiting.push([name, reference]);
    return name;
  };

  const inner = (key: string, value: Json): Json => {
    if (literal.has(key)) return value;
    if (maps.has(key) && isJsonObject(value)) return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, take(each)]));
    if (Array.isArray(value)) return value.map((each) => (isJsonObject(each) ? take(each) : each));
    return isJsonObject(value) ? take(value) : value;
  };

  const take = (schema: Json | undefined): JsonObject => {
    if (schema === undefined || schema === true) return {};
    if (schema === false) return { not: {} };
    if (!isJsonObject(schema)) throw new DocumentError('has something in place of a schema that is none');
    const { $ref: reference, ...beside } = schema;
    const own: Record<string, Json> = Object.fromEntries(
      Object.entries(withExclusive(beside))
        .filter(([key]) => !dropped.has(key) && !key.startsWith('x-'))
        .map(([key, value]) => [key, inner(key, value as Json)]),
    );
    if (typeof reference === 'string') own['$ref'] = `#/$defs/${nameOf(reference)}`;
    return schema['nullable'] === true ? withNull(own) : own;
  };

  return {
    take,
    definitions() {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) found[next[0]] = take(lookUp(document, next[1]));
      return found;
    },
  };
}

/** A whole schema with its `$defs`. */
export function selfContained(document: JsonObject, schema: Json | undefined): JsonObject {
  const collector = collectSchemas(document);
  const own = collector.take(schema);
  const definitions = collector.definitions();
  return Object.keys(definitions).length === 0 ? own : { ...own, $defs: definitions };
}
