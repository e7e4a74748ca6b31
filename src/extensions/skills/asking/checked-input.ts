/** The input of a skill against its schema. */
import { GatewayError } from '../../../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { SchemaCheck } from '../../../types/schema-check.ts';

export function wrongInput(path: string, sentence: string): GatewayError {
  const param = path === '' ? 'input' : `input.${path}`;
  return new GatewayError('invalid_request', `${param} ${sentence}.`, { param });
}

/** Throws `invalid_request` naming the path. */
export function requireInput(check: SchemaCheck, given: Json): JsonObject {
  const fault = check.fault(given);
  if (fault !== null) throw wrongInput(fault.path, fault.message);
  return isJsonObject(given) ? given : {};
}

/** The same for a skill that reads a text or a file: one of the two. */
export function requireDocument(check: SchemaCheck, given: Json): JsonObject {
  if (isJsonObject(given)) {
    const [hasText, hasFile] = [given['text'] !== undefined, given['document'] !== undefined];
    if (hasText && hasFile) throw wrongInput('text', 'and input.document are both there; give one of the two');
    if (!hasText && !hasFile) throw wrongInput('text', 'is missing: give a text there, or a file as input.document');
  }
  return requireInput(check, given);
}
