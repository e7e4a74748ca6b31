/** Validates JSON against a JSON Schema in bounded time. A fault names the path of the value. */
import { createRequire } from 'node:module';
import type * as Re2 from 're2js';
import type * as Ajv2020Module from 'ajv/dist/2020.js';
import type * as Ajv2019Module from 'ajv/dist/2019.js';
import type * as AjvModule from 'ajv/dist/ajv.js';
import type { Ajv, ErrorObject, ValidateFunction } from 'ajv/dist/ajv.js';
import { withTimeLimit, TimeLimitExceeded } from './time-limit.ts';
import { isJsonObject, type Json, type JsonObject } from '../types/json.ts';
import { type Draft, draftOf, hasCircularReference, isCheapToCheck, sizeOf } from './json-schema-limits.ts';

export interface SchemaFault {
  /** Path of the value, such as `items[0].price`. Empty for the whole value. */
  readonly path: string;
  readonly message: string;
}

export interface SchemaCheck {
  /** The first fault, or null. */
  fault(value: Json): SchemaFault | null;
}

// The validators are loaded on first use: a start checks no schema. The load is synchronous, because a check cannot wait.
const require = createRequire(import.meta.url);

/** Matches patterns in linear time (RE2): users write the schemas and callers send the texts. */
const linear = Object.assign(
  (pattern: string) => {
    const { RE2JS } = require('re2js') as typeof Re2;
    const compiled = RE2JS.compile(RE2JS.translateRegExp(pattern));
    // The validator identifies a pattern by its text.
    return { test: (text: string) => compiled.matcher(text).find(), toString: () => pattern };
  },
  // Read only for code generated into a file, which is not done here.
  { code: '' },
);

/** Draft 7 is a superset of draft 6. */
const compilers: Readonly<Record<Draft, () => typeof Ajv>> = {
  '2020-12': () => (require('ajv/dist/2020.js') as typeof Ajv2020Module).Ajv2020,
  '2019-09': () => (require('ajv/dist/2019.js') as typeof Ajv2019Module).Ajv2019,
  'draft-07': () => (require('ajv/dist/ajv.js') as typeof AjvModule).Ajv,
  'draft-06': () => (require('ajv/dist/ajv.js') as typeof AjvModule).Ajv,
};
const addresses = {
  '2020-12': 'https://json-schema.org/draft/2020-12/schema',
  '2019-09': 'https://json-schema.org/draft/2019-09/schema',
  'draft-07': 'http://json-schema.org/draft-07/schema',
  'draft-06': 'http://json-schema.org/draft-07/schema',
};
/** The longest time for which a compilation or a check may hold the process. */
export interface SchemaTimes {
  readonly compileMs: number;
  readonly checkMs: number;
}
const usualTimes: SchemaTimes = { compileMs: 2_000, checkMs: 500 };

/** Fetches nothing: a remote reference is a fault of the schema. `meta` makes the draft's own schemas available to references. */
function compilerFor(draft: Draft, meta: boolean): Ajv {
  const Compiler = compilers[draft]();
  return new Compiler({
    strict: false,
    allErrors: false,
    validateFormats: false,
    // Faults carry the value and the violated keyword.
    verbose: true,
    validateSchema: false,
    meta,
    logger: false,
    // The optimiser costs more than it saves, and its recursion overflows first.
    code: { regExp: linear, optimize: false },
  });
}

const rules = new Map<Draft, ValidateFunction>();

/** The meta-schema validator of a draft; compiled once. */
function rulesOf(draft: Draft): ValidateFunction {
  const known = rules.get(draft);
  if (known !== undefined) return known;
  const made = compilerFor(draft, true).getSchema(addresses[draft]);
  if (made === undefined) throw new Error(`the validator lacks ${draft}`);
  rules.set(draft, made as ValidateFunction);
  return made as ValidateFunction;
}

const shownValues = 20;

/** `must be one of "a", "b"`; null for a list too long to print. */
function choiceIn(allowed: unknown): string | null {
  const values = Array.isArray(allowed) && allowed.length <= shownValues ? allowed.map((each: unknown) => JSON.stringify(each)) : [];
  const list = values.join(', ');
  return list === '' || list.length > 500 ? null : `must be one of ${list}`;
}

/** Unknown fields of an object that also misses a field: probably a typing error. */
function unknownFieldsBeside(data: Json | undefined, parent: JsonObject): string[] {
  const { properties, additionalProperties } = parent;
  if (!isJsonObject(data) || additionalProperties !== false || !isJsonObject(properties)) return [];
  return Object.keys(data).filter((field) => !Object.hasOwn(properties, field));
}

function sentenceOf({ keyword, params, data, schema, parentSchema, message = 'does not fit' }: ErrorObject): string {
  if (keyword === 'required') {
    const [unknownField] = unknownFieldsBeside(data as Json | undefined, parentSchema ?? {});
    return unknownField === undefined ? 'is missing' : `is missing ("${unknownField.slice(0, 100)}" is not a field here)`;
  }
  if (keyword === 'additionalProperties') return 'is not a field here';
  if (keyword === 'enum') return choiceIn(schema) ?? message;
  if ((keyword === 'minLength' || keyword === 'minItems') && params['limit'] === 1) return 'must not be empty';
  return message;
}

function firstFault(error: ErrorObject | undefined): SchemaFault {
  const base = (error?.instancePath ?? '')
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  const missing = error?.keyword === 'required' ? [String(error.params['missingProperty'])] : [];
  const extra = error?.keyword === 'additionalProperties' ? [String(error.params['additionalProperty'])] : [];
  const path = [...base, ...missing, ...extra]
    .map((part, index) => (/^\d+$/.test(part) ? `[${part}]` : index === 0 ? part : `.${part}`))
    .join('');
  return { path, message: error === undefined ? 'does not fit' : sentenceOf(error) };
}

/** A sentence for a check or compilation that ran out of time or stack. Null for any other error. */
function breakOff(thrown: unknown, slow: string, deep: string): string | null {
  if (thrown instanceof TimeLimitExceeded) return slow;
  return typeof thrown === 'object' && thrown !== null && 'name' in thrown && thrown.name === 'RangeError' ? deep : null;
}

function validatorOf(schema: JsonObject, plain: boolean, compileMs: number): ValidateFunction {
  const draft = draftOf(schema);
  const fits = rulesOf(draft);
  const work = (): ValidateFunction => {
    if (!fits(schema)) {
      const { path, message } = firstFault(fits.errors?.[0]);
      throw new Error(`schema is invalid: ${path || 'the whole'} ${message}`);
    }
    if (hasCircularReference(schema)) throw new Error('the references of the schema form a cycle, so that a check would never end');
    // One compiler per schema, so that it is collected with its owner.
    return compilerFor(draft, JSON.stringify(schema).includes('://json-schema.org/')).compile(schema);
  };
  try {
    return plain ? work() : withTimeLimit(compileMs, work);
  } catch (thrown) {
    const words = breakOff(thrown, 'the schema takes too long to compile; make it smaller', 'the schema is too large or nested too deep');
    if (words === null) throw thrown;
    throw new Error(words, { cause: thrown });
  }
}

/**
 * Compiles a schema. Throws an Error with a sentence for an invalid or too large schema, circular references, or a pattern with look-around or
 * back references. A check that exceeds its time is a fault of the value.
 */
export function compileSchema(schema: JsonObject, { compileMs, checkMs }: SchemaTimes = usualTimes): SchemaCheck {
  const plain = isCheapToCheck(schema, sizeOf(schema));
  const validate = validatorOf(schema, plain, compileMs);
  return {
    fault(value) {
      try {
        if (plain ? validate(value) : withTimeLimit(checkMs, () => validate(value))) return null;
      } catch (thrown) {
        const message = breakOff(thrown, 'takes too long to check against its schema', 'is nested too deep to check against its schema');
        if (message === null) throw thrown;
        return { path: '', message };
      }
      const fault = firstFault(validate.errors?.[0]);
      // Releases the value that failed.
      validate.errors = null;
      return fault;
    },
  };
}

/** As `compileSchema`, but compiles at the first check: for the schemas of the gateway's own code, which are valid. */
export function compileOnUse(schema: JsonObject): SchemaCheck {
  let check: SchemaCheck | null = null;
  return { fault: (value) => (check ??= compileSchema(schema)).fault(value) };
}
