/** Tools that Anthropic ran in an earlier answer: what another vendor can read of their results. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';

const longest = 20_000;
/** Members that hold text for the model, in the order in which they are read. */
const members = ['title', 'url', 'text', 'data', 'stdout', 'stderr', 'error_code', 'content', 'source'];

function textsIn(value: Json | undefined): string[] {
  if (typeof value === 'string') return value === '' ? [] : [value];
  if (Array.isArray(value)) return value.flatMap((each: Json) => textsIn(each));
  if (!isJsonObject(value) || value['type'] === 'base64') return [];
  return members.flatMap((member) => textsIn(value[member]));
}

/** True for the result of a call of `server_tool_use`, such as `web_search_tool_result`. */
export function isServerRunResult({ type, tool_use_id: id }: JsonObject): boolean {
  return typeof type === 'string' && type.endsWith('_tool_result') && typeof id === 'string' && id !== '';
}

/** Titles, addresses, texts and outputs. What is encrypted is left out. */
export function readableResult(block: JsonObject): string {
  return textsIn(block['content']).join('\n').slice(0, longest);
}
