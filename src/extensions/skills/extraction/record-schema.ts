/** The JSON Schema that a caller gives: of one record, or of a list of them. */
import { compileSchema, type SchemaCheck } from '../../../types/schema-check.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { pointedTo } from '../../../types/json-pointer.ts';
import type { GatewayError } from '../../../types/errors.ts';
import { wrongInput } from '../asking/checked-input.ts';

export interface RecordSchema {
  /** As it was given. */
  readonly given: JsonObject;
  /** The schema of one record within it. */
  readonly record: JsonObject;
  readonly many: boolean;
  /** Of all together, required fields and all. */
  readonly whole: SchemaCheck;
  /** Whether the text at such a path is in any words; else it is one of a few, a date or the like. */
  readonly isFree: (path: string) => boolean;
}

const deepestReference = 20;

/** What `$ref` leads to within the same schema; undefined if nowhere. */
function resolve(schema: Json | undefined, root: JsonObject): JsonObject | undefined {
  let found = schema;
  for (let hops = 0; hops < deepestReference; hops++) {
    if (!isJsonObject(found)) return undefined;
    const { $ref: reference } = found;
    if (typeof reference !== 'string') return found;
    found = pointedTo(root, reference);
  }
  return undefined;
}

function schemaAt(path: string, record: JsonObject, root: JsonObject): JsonObject | undefined {
  let at = resolve(record, root);
  for (const [, index, name] of path.matchAll(/\[(\d+)\]|([^.[\]]+)/g)) {
    if (at === undefined) return undefined;
    const inner = index === undefined ? (isJsonObject(at['properties']) ? at['properties'][name ?? ''] : undefined) : at['items'];
    at = resolve(inner, root);
  }
  return at;
}

/** Whether it is the schema of an object that has fields to look for. */
function isOfFields(schema: JsonObject): boolean {
  const { type, properties } = schema;
  const isObject = type === undefined || type === 'object' || (Array.isArray(type) && type.includes('object'));
  return isObject && isJsonObject(properties) && Object.keys(properties).length > 0;
}

const wrongSchema = (sentence: string): GatewayError => wrongInput('schema', sentence);

/** Throws what `refuse` makes of the fault; by itself `invalid_request` naming the field. */
export function readRecordSchema(given: Json | undefined, refuse: (sentence: string) => GatewayError = wrongSchema): RecordSchema {
  if (!isJsonObject(given)) throw refuse('is missing, and the skill has none of its own');
  const root = resolve(given, given) ?? given;
  const many = root['type'] === 'array';
  const record = resolve(many ? root['items'] : root, given);
  if (record === undefined || !isOfFields(record)) throw refuse('must be of an object with properties, or of an array of such objects');
  let whole: SchemaCheck;
  try {
    whole = compileSchema(given);
  } catch (thrown) {
    throw refuse(`is no JSON Schema that can be used (${(thrown as Error).message.slice(0, 200)})`);
  }
  return {
    given,
    record,
    many,
    whole,
    isFree(path) {
      const at = schemaAt(path, record, given);
      return at === undefined || !['enum', 'const', 'format', 'anyOf', 'oneOf', 'allOf'].some((word) => Object.hasOwn(at, word));
    },
  };
}
