/** JSON Schema checks with the fault named by its path. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Json, JsonObject } from '../../../types/json.ts';

export interface SchemaFault {
  /** Such as `city` or `items[0].price`; empty for the whole. */
  readonly path: string;
  readonly message: string;
}

export interface SchemaCheck {
  /** The first fault, or null. */
  fault(value: Json): SchemaFault | null;
}

/** Throws an Error with a sentence if `schema` is no valid JSON Schema. */
export function compileSchema(schema: JsonObject): SchemaCheck {
  // Nothing is fetched: a reference to elsewhere is a fault of the schema. One compiler each, so that nothing of it outlives the skill.
  const ajv = new Ajv2020({ strict: false, allErrors: false, addUsedSchema: false, logger: false });
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
      const message =
        missing.length > 0 ? 'is missing' : extra.length > 0 ? 'is not a field of this skill' : (error?.message ?? 'does not fit');
      return { path, message };
    },
  };
}
