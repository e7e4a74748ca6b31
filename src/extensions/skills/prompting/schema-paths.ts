/** Looks up paths in a JSON Schema. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';

const elsewhere = new Set(['$ref', '$dynamicRef', 'allOf', 'anyOf', 'oneOf', 'if', 'dependentSchemas', 'patternProperties']);

/** The schema at a path. Null when unknown; undefined when the properties are listed and the path is not among them. */
function schemaAt(schema: JsonObject, path: readonly string[]): JsonObject | null | undefined {
  let inner: Json | undefined = schema;
  for (const name of path) {
    if (isJsonObject(inner) && /^\d+$/.test(name) && inner['items'] !== undefined) {
      inner = inner['items'];
      continue;
    }
    if (!isJsonObject(inner) || !isJsonObject(inner['properties'])) return null;
    // A property defined elsewhere in the schema cannot be looked up by name.
    if (Object.keys(inner).some((word) => elsewhere.has(word))) return null;
    if (!Object.hasOwn(inner['properties'], name)) {
      const { additionalProperties: more } = inner;
      return more === true || isJsonObject(more) ? null : undefined;
    }
    inner = inner['properties'][name];
  }
  return isJsonObject(inner) ? inner : null;
}

/** False when the schema lists its properties and the path is not among them. */
export function mayContainPath(schema: JsonObject, path: readonly string[]): boolean {
  return schemaAt(schema, path) !== undefined;
}

/** The properties of a schema as text for people. */
export function fieldsOf({ properties }: JsonObject): string {
  return (isJsonObject(properties) && Object.keys(properties).join(', ')) || 'no fields';
}

const noLists: Readonly<Record<string, string>> = {
  number: 'a number',
  integer: 'a number',
  boolean: 'true or false',
  object: 'an object',
};

/** The type at the path when it cannot be a list, such as `a number`; null otherwise. A string may hold a list as JSON. */
export function definitelyNotList(schema: JsonObject, path: readonly string[]): string | null {
  const type = schemaAt(schema, path)?.['type'];
  return typeof type === 'string' ? (noLists[type] ?? null) : null;
}
