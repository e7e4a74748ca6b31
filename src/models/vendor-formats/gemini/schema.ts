/** JSON Schema in the subset of Gemini: nearly complete, except for keywords that fail the request. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';

const refused: ReadonlySet<string> = new Set([
  '$schema',
  '$comment',
  'propertyNames',
  'unevaluatedProperties',
  'if',
  'then',
  'else',
  'not',
]);
/** Keywords whose value maps names to schemas. The names are not keywords. */
const maps: ReadonlySet<string> = new Set(['properties', '$defs', 'definitions']);
/** Keywords whose value is data. */
const plain: ReadonlySet<string> = new Set(['enum', 'default', 'examples', 'example', 'required', 'propertyOrdering']);

function cleanValue(word: string, value: Json | undefined): Json | undefined {
  if (plain.has(word)) return value;
  if (maps.has(word) && isJsonObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, isJsonObject(each) ? cleanSchema(each) : each]));
  }
  if (isJsonObject(value)) return cleanSchema(value);
  return Array.isArray(value) ? value.map((each: Json) => (isJsonObject(each) ? cleanSchema(each) : each)) : value;
}

/** `const` becomes an `enum` of one value. Unsupported keywords that only restrict further are dropped, because the vendor would refuse the request. */
export function cleanSchema(schema: JsonObject): JsonObject {
  const clean: Record<string, Json | undefined> = {};
  for (const [word, value] of Object.entries(schema)) {
    if (refused.has(word)) continue;
    if (word === 'const') clean['enum'] = value === undefined ? undefined : [value];
    else clean[word] = cleanValue(word, value);
  }
  return clean;
}
