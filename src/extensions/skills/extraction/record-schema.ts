/** The caller's JSON Schema: of one record, or of a list of records. */
import { compileSchema, type SchemaCheck } from '../../../schema/json-schema.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { pointedTo } from '../../../schema/json-pointer.ts';
import type { GatewayError } from '../../../types/errors.ts';
import { inputError } from '../prompting/input-validation.ts';
import type { TypesOf } from './answer-normalizer.ts';
import type { TextKind } from './quote-verifier.ts';

export interface RecordSchema {
  /** The schema as given. */
  readonly given: JsonObject;
  /** The schema of one record. */
  readonly record: JsonObject;
  readonly many: boolean;
  /** Validates the merged result, required fields included. */
  readonly whole: SchemaCheck;
  /** The kind of text that the schema wants at a path. */
  readonly kindOf: (path: string) => TextKind;
  readonly typesOf: TypesOf;
}

const deepestReference = 20;

/** The target of a local `$ref`; undefined when it does not exist. */
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

const mostAlternatives = 200;
const putTogether = ['anyOf', 'oneOf', 'allOf'];

/** The schemas and all their subschemas that apply to the same value. */
function alternatives(schemas: readonly (Json | undefined)[], root: JsonObject): JsonObject[] {
  const found = new Set<JsonObject>();
  const open = [...schemas];
  while (open.length > 0 && found.size < mostAlternatives) {
    const each = resolve(open.pop(), root);
    if (each === undefined || found.has(each)) continue;
    found.add(each);
    for (const word of putTogether) if (Array.isArray(each[word])) open.push(...(each[word] as Json[]).slice(0, mostAlternatives));
  }
  return [...found];
}

/** All subschemas for the value at a path. */
function schemasAt(path: string, record: JsonObject, root: JsonObject): JsonObject[] {
  let at = alternatives([record], root);
  for (const [, index, name = ''] of path.matchAll(/\[(\d+)\]|([^.[\]]+)/g)) {
    const inner = at.flatMap((schema): (Json | undefined)[] => {
      if (index !== undefined) return [schema['items'], ...(Array.isArray(schema['prefixItems']) ? (schema['prefixItems'] as Json[]) : [])];
      const { properties, additionalProperties } = schema;
      return [isJsonObject(properties) && Object.hasOwn(properties, name) ? properties[name] : additionalProperties];
    });
    at = alternatives(inner, root);
  }
  return at;
}

const moments: ReadonlySet<Json | undefined> = new Set(['date', 'time', 'date-time', 'duration']);

function kindAt(path: string, record: JsonObject, root: JsonObject): TextKind {
  const schemas = schemasAt(path, record, root);
  if (schemas.some((schema) => Object.hasOwn(schema, 'enum') || Object.hasOwn(schema, 'const'))) return 'choice';
  return schemas.some(({ format }) => moments.has(format)) ? 'moment' : 'free';
}

/** A subschema without a type allows any type. */
function typesAt(path: string, record: JsonObject, root: JsonObject): ReadonlySet<string> {
  const found = new Set<string>();
  for (const schema of schemasAt(path, record, root)) {
    const { type } = schema;
    const own = Array.isArray(type) ? type : [type];
    for (const each of own) if (typeof each === 'string') found.add(each);
    if (type === undefined && !putTogether.some((word) => Array.isArray(schema[word]))) return new Set();
  }
  return found;
}

/** True for the schema of an object with properties. */
function isOfFields(schema: JsonObject): boolean {
  const { type, properties } = schema;
  const isObject = type === undefined || type === 'object' || (Array.isArray(type) && type.includes('object'));
  return isObject && isJsonObject(properties) && Object.keys(properties).length > 0;
}

const wrongSchema = (sentence: string): GatewayError => inputError('schema', sentence);

/** Limits for a schema that comes with an input. It is compiled on the main thread, and patterns cost most. */
const mostGivenValues = 5_000;
const mostGivenPatterns = 100;

/** Every nested value with its key. Iterative: the schema has not been checked yet. */
function* valuesIn(schema: Json): Generator<readonly [string, Json]> {
  const open: (readonly [string, Json])[] = [['', schema]];
  for (let each = open.pop(); each !== undefined; each = open.pop()) {
    yield each;
    const [, value] = each;
    if (typeof value === 'object' && value !== null) for (const [name, inner] of Object.entries(value)) open.push([name, inner as Json]);
  }
}

function requireModest(schema: Json | undefined): void {
  let [values, patterns] = [0, 0];
  for (const [name, value] of valuesIn(schema ?? null)) {
    values++;
    if (name === 'pattern') patterns++;
    if (name === 'patternProperties' && isJsonObject(value)) patterns += Object.keys(value).length;
    if (values > mostGivenValues) throw wrongSchema(`is too large: it has more than ${mostGivenValues} values`);
    if (patterns > mostGivenPatterns) throw wrongSchema(`has more than ${mostGivenPatterns} patterns`);
  }
}

/** Throws the error that `refuse` makes; by default `invalid_request` naming the field. */
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
    throw refuse(`is not a usable JSON Schema (${(thrown as Error).message.slice(0, 200)})`);
  }
  return {
    given,
    record,
    many,
    whole,
    kindOf: (path) => kindAt(path, record, given),
    typesOf: (path) => typesAt(path, record, given),
  };
}

/** The same for a schema that comes with an input, within the size limits. */
export function readGivenSchema(given: Json | undefined): RecordSchema {
  requireModest(given);
  return readRecordSchema(given);
}
