/** Validates the input of a skill against its schema. */
import { GatewayError } from '../../../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { SchemaCheck } from '../../../schema/json-schema.ts';

export function inputError(path: string, sentence: string): GatewayError {
  const param = path === '' ? 'input' : `input.${path}`;
  return new GatewayError('invalid_request', `${param} ${sentence}.`, { param });
}

/** Throws `invalid_request` naming the path. */
export function requireInput(check: SchemaCheck, given: Json): JsonObject {
  const fault = check.fault(given);
  if (fault !== null) throw inputError(fault.path, fault.message);
  return isJsonObject(given) ? given : {};
}

/** The input of a skill that reads a text or a file. */
interface DocumentInput {
  readonly schema: JsonObject;
  readonly check: SchemaCheck;
}

/** In a chat the text beside a file is the input text, unless the skill has a field for it. */
function bothThere(fields: JsonObject): GatewayError {
  const beside = Object.hasOwn(fields, 'instructions')
    ? 'wishes beside a file go into input.instructions'
    : 'words beside a file are not read by this skill';
  return inputError('text', `is there beside input.document: give one of the two, a text or a file (${beside})`);
}

function noneThere(fields: JsonObject, given: JsonObject): GatewayError {
  const unknownField = Object.keys(given).find((field) => !Object.hasOwn(fields, field));
  const beside = unknownField === undefined ? '' : ` ("${unknownField.slice(0, 100)}" is not a field here)`;
  return inputError('text', `is missing: give a text there, or a file as input.document${beside}`);
}

/** The same for a skill that takes either a text or a file. */
export function requireDocument({ check, schema }: DocumentInput, given: Json): JsonObject {
  if (isJsonObject(given)) {
    const fields = isJsonObject(schema['properties']) ? schema['properties'] : {};
    const [hasText, hasFile] = [given['text'] !== undefined, given['document'] !== undefined];
    if (hasText && hasFile) throw bothThere(fields);
    if (!hasText && !hasFile) throw noneThere(fields, given);
  }
  return requireInput(check, given);
}
