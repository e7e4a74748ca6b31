/** Decides whether a request may be answered from the cache: it must have no side effects. */
import type { ChatRequest } from '../types/chat.ts';
import { isJsonObject, type Json } from '../types/json.ts';

/** Tool types of OpenAI's format that the caller runs. */
const callersOwn: ReadonlySet<unknown> = new Set(['function', 'custom']);
/** Tool types of Anthropic's format, and of OpenAI's Responses, that the caller runs. */
const callersOwnNative = /^(function|custom|namespace|local_shell|apply_patch|(bash|text_editor|computer|memory)_\d+)$/;

function all(tools: Json | undefined, rule: (type: Json | undefined) => boolean): boolean {
  return !Array.isArray(tools) || tools.every((tool: Json) => isJsonObject(tool) && rule(tool['type']));
}

const isEmpty = (value: Json | undefined): boolean =>
  value === undefined || value === null || value === false || (Array.isArray(value) && value.length === 0);

/** False when Pailou or the vendor runs tools, or when the vendor stores the answer. */
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
