/** Whether a place can ever be filled, as far as a JSON Schema tells. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';

const elsewhere = new Set(['$ref', 'allOf', 'anyOf', 'oneOf', 'patternProperties']);

/** False if the schema lists its fields and the path is not among them. Where it lists none, any may be there. */
export function mayHave(schema: JsonObject, path: readonly string[]): boolean {
  let inner: Json | undefined = schema;
  for (const name of path) {
    if (isJsonObject(inner) && /^\d+$/.test(name) && inner['items'] !== undefined) {
      inner = inner['items'];
      continue;
    }
    if (!isJsonObject(inner) || !isJsonObject(inner['properties'])) return true;
    // A field that stands elsewhere in the schema cannot be looked up by its name alone.
    if (Object.keys(inner).some((word) => elsewhere.has(word))) return true;
    if (!Object.hasOwn(inner['properties'], name)) return false;
    inner = inner['properties'][name];
  }
  return true;
}
