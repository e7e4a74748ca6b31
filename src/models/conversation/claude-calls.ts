/** Distinguishes calls made by code that runs at Anthropic from the model's own calls. */
import { isJsonObject, type JsonObject } from '../../types/json.ts';

/** True for a `tool_use` block whose caller is a tool of the vendor, such as `code_execution_20250825`, and not the model (`direct`). */
export function isProgrammaticCall(block: JsonObject): boolean {
  const { caller } = block;
  return isJsonObject(caller) && typeof caller['type'] === 'string' && caller['type'] !== 'direct';
}
