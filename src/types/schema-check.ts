/** JSON Schema checks with the fault named by its path, in bounded time whatever the schema's patterns are. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { RE2JS } from 're2js';
import type { Json, JsonObject } from './json.ts';

export interface SchemaFault {
  /** Such as `city` or `items[0].price`; empty for the whole. */
  readonly path: string;
  readonly message: string;
}

export interface SchemaCheck {
  /** The first fault, or null. */
  fault(value: Json): SchemaFault | null;
}

/** Patterns come with schemas that many may write, and are tried on what callers send: none may take more than linear time. */
const linear = Object.assign(
  (pattern: string) => {
    const compiled = RE2JS.compile(RE2JS.translateRegExp(pattern));
    // The validator tells patterns apart by their text.
    return { test: (text: string) => compiled.matcher(text).find(), toString: () => pattern };
  },
  // Only for code that is written out to a file, which none is.
  { code: '' },
);

/** Throws an Error with a sentence if `schema` is no valid JSON Schema, or has a pattern with look-around or back references. */
export function compileSchema(schema: JsonObject): SchemaCheck {
  // Nothing is fetched: a reference to elsewhere is a fault of the schema. One compiler each, so that nothing of it outlives its owner.
  const ajv = new Ajv2020({
    strict: false,
    allErrors: false,
    addUsedSchema: false,
    validateFormats: false,
    logger: false,
    code: { regExp: linear },
  });
  const validate: ValidateFunction = ajv.compile(schema);
  return {
    fault(value) {
      if (validate(value)) return null;
      const error = validate.errors?.[0];
      const base = (error?.instancePath ?? '')
        .split('/')
        .slice(1)
        .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
      const missing = error?.keyword === 'required' ? [String(error.params['missingProperty'])] : [];
      const extra = error?.keyword === 'additionalProperties' ? [String(error.params['additionalProperty'])] : [];
      const path = [...base, ...missing, ...extra]
        .map((part, index) => (/^\d+$/.test(part) ? `[${part}]` : index === 0 ? part : `.${part}`))
        .join('');
      const message = missing.length > 0 ? 'is missing' : extra.length > 0 ? 'is not a field here' : (error?.message ?? 'does not fit');
      return { path, message };
    },
  };
}
