/** Calls that Claude makes from code which runs at Anthropic, told from those that it makes itself. */
import { isJsonObject, type JsonObject } from '../../types/json.ts';

/** Of a `tool_use` block: its caller is a tool of the vendor's, such as `code_execution_20250825`, and not the model (`direct`). */
export function isProgrammaticCall(block: JsonObject): boolean {
  const { caller } = block;
  return isJsonObject(caller) && typeof caller['type'] === 'string' && caller['type'] !== 'direct';
}
