/** Whether an answer from before is as good as a new one: the call asks for words alone, and nothing is done for it meanwhile. */
import type { ChatRequest } from '../types/chat.ts';
import { isJsonObject, type Json } from '../types/json.ts';

/** Tools that the caller runs, in OpenAI's format. */
const callersOwn: ReadonlySet<unknown> = new Set(['function', 'custom']);
/** Those of Anthropic's format: its own names for tools that run at the caller's. */
const callersOwnNative = /^(custom|(bash|text_editor|computer|memory)_\d+)$/;

function all(tools: Json | undefined, rule: (type: Json | undefined) => boolean): boolean {
  return !Array.isArray(tools) || tools.every((tool: Json) => isJsonObject(tool) && rule(tool['type']));
}

const isEmpty = (value: Json | undefined): boolean =>
  value === undefined || value === null || value === false || (Array.isArray(value) && value.length === 0);

/** False where somebody else than the caller may run tools: Pailou does, or the vendor; and where the vendor is to keep the answer. */
export function isCacheable({ body, native }: ChatRequest): boolean {
  if (!all(body['tools'], (type) => callersOwn.has(type)) || !isEmpty(body['store']) || !isEmpty(body['mcp_servers'])) return false;
  if (native === undefined) return true;
  const { tools, mcp_servers: servers, container } = native.body;
  return (
    all(tools, (type) => type === undefined || type === null || (typeof type === 'string' && callersOwnNative.test(type))) &&
    isEmpty(servers) &&
    isEmpty(container)
  );
}
