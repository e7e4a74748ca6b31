/** Values against an operation's schemas, with the fault named by its place. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Json, JsonObject } from '../../../../types/json.ts';

/** What is wrong, or null. */
export type InputCheck = (value: Json) => string | null;

/** Null for a schema that no validator takes: the service itself checks then. */
export function compileCheck(schema: JsonObject): InputCheck | null {
  // Nothing is fetched, no format is insisted on. One compiler each, so that nothing of it outlives the document.
  const ajv = new Ajv2020({ strict: false, allErrors: false, addUsedSchema: false, validateFormats: false, logger: false });
  let validate: ReturnType<typeof ajv.compile>;
  try {
    validate = ajv.compile(schema);
  } catch {
    return null;
  }
  return (value) => {
    if (validate(value)) return null;
    const error = validate.errors?.[0];
    const extra = error?.keyword === 'additionalProperties' ? ` "${String(error.params['additionalProperty']).slice(0, 100)}"` : '';
    const place = (error?.instancePath ?? '').slice(1).replaceAll('/', '.');
    return `${place === '' ? '' : `${place} `}${error?.message ?? 'does not fit'}${extra}`;
  };
}
