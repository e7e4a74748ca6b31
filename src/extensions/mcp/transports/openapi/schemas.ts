/** Converts schemas of an OpenAPI document to self-contained JSON Schema, including recursive references. */
import { isJsonObject, type Json, type JsonObject } from '../../../../types/json.ts';
import { DocumentError, lookUp } from './document.ts';

const mostDefinitions = 500;

/** Keywords of OpenAPI that JSON Schema does not have and models do not need. */
const dropped = new Set(['xml', 'externalDocs', 'discriminator', 'nullable', 'example']);
/** The keys of these are names of the API, not keywords. */
const maps = new Set(['properties', 'patternProperties', '$defs', 'dependentSchemas']);
/** The values of these are literal. */
const literal = new Set(['default', 'const', 'enum', 'examples', 'example']);

/** Converts `exclusiveMinimum: true` beside `minimum`, the form of OpenAPI 3.0. */
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

/** Converts `nullable: true` of OpenAPI 3.0: adds null to the type and to the enum. */
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
  /** All definitions referenced so far. */
  definitions(): JsonObject;
}

/** Create one for each self-contained schema. */
export function collectSchemas(document: JsonObject): SchemaCollector {
  const names = new Map<string, string>();
  /** Followed iteratively: references may be recursive, or deeper than the stack. */
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
