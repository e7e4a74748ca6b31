/** What a JSON Schema tells of a place: whether it can ever be filled, and with what. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';

const elsewhere = new Set(['$ref', '$dynamicRef', 'allOf', 'anyOf', 'oneOf', 'if', 'dependentSchemas', 'patternProperties']);

/** The schema at a path; null where the schema does not tell, undefined where it lists its fields and the path is not among them. */
function schemaAt(schema: JsonObject, path: readonly string[]): JsonObject | null | undefined {
  let inner: Json | undefined = schema;
  for (const name of path) {
    if (isJsonObject(inner) && /^\d+$/.test(name) && inner['items'] !== undefined) {
      inner = inner['items'];
      continue;
    }
    if (!isJsonObject(inner) || !isJsonObject(inner['properties'])) return null;
    // A field that stands elsewhere in the schema cannot be looked up by its name alone.
    if (Object.keys(inner).some((word) => elsewhere.has(word))) return null;
    if (!Object.hasOwn(inner['properties'], name)) {
      const { additionalProperties: more } = inner;
      return more === true || isJsonObject(more) ? null : undefined;
    }
    inner = inner['properties'][name];
  }
  return isJsonObject(inner) ? inner : null;
}

/** False if the schema lists its fields and the path is not among them. Where it lists none, any may be there. */
export function mayContainPath(schema: JsonObject, path: readonly string[]): boolean {
  return schemaAt(schema, path) !== undefined;
}

/** The fields that a schema lists, for people to read. */
export function fieldsOf({ properties }: JsonObject): string {
  return (isJsonObject(properties) && Object.keys(properties).join(', ')) || 'no fields';
}

const noLists: Readonly<Record<string, string>> = {
  number: 'a number',
  integer: 'a number',
  boolean: 'true or false',
  object: 'an object',
};

/** What is at the path if that is surely no list, such as `a number`; null for what may be one. A text may hold a list as JSON. */
export function definitelyNotList(schema: JsonObject, path: readonly string[]): string | null {
  const type = schemaAt(schema, path)?.['type'];
  return typeof type === 'string' ? (noLists[type] ?? null) : null;
}
