/**
 * Calls that Pailou made itself, as faces tell them and as clients send them back. The ids of what was told are known by their form:
 * what Pailou keeps of the same calls can take its place (`src/extensions/tool-loop/restore-server-rounds.ts`).
 */
import { createHash } from 'node:crypto';
import { isJsonObject, type Json, type JsonObject } from '../../types/json.ts';
import { publicToolName } from '../tool-names.ts';

/** No longer than OpenAI takes for a call. */
const toldPattern = /^mcp_[0-9a-f]{36}$/;
const mostTold = 100_000;

export function isServerToolCallId(id: Json | undefined): boolean {
  return typeof id === 'string' && toldPattern.test(id);
}

/** The id of a told call in the conversation; one of another house's becomes one of this form, always the same. */
export function serverToolCallId(id: string): string {
  return isServerToolCallId(id) ? id : `mcp_${createHash('sha256').update(id).digest('hex').slice(0, 36)}`;
}

/** The id in the conversation of a call that a person decided on: made of the id under which it was held, so that it is the same wherever it is told. */
export function approvedCallId(approval: string): string {
  return serverToolCallId(approval.replace(/^apr_(?=[0-9a-f]{36}$)/, 'mcp_'));
}

/** Held calls count from the middle on, so that no id of a call that was just made is like theirs. */
const firstHeld = 0x8000;
export function heldCallId(run: string, index: number): string {
  return `apr_${run.replaceAll('-', '')}${(firstHeld + index).toString(16)}`;
}
export function isApprovedCallId(id: Json | undefined): boolean {
  return typeof id === 'string' && isServerToolCallId(id) && Number.parseInt(id.slice(-4), 16) >= firstHeld;
}

/** What is told of an output. */
export function serverToolOutput(output: string): string {
  if (output.length <= mostTold) return output;
  const told = output.slice(0, mostTold).toWellFormed();
  return `${told}\n[Cut: the first ${mostTold} of ${output.length} characters.]`;
}

/** `mcp/files/read` is `read` of the server `files`; a skill is of the server `skill`. */
export function placeOf(capability: string): { readonly server: string; readonly name: string } {
  const [kind = '', first = '', ...rest] = capability.split('/');
  return kind === 'mcp' ? { server: first, name: rest.join('/') } : { server: kind, name: [first, ...rest].join('/') };
}

/** The call of a told tool under the name that the model knows. */
export function serverToolCall(id: string, server: string, tool: string, given: string): JsonObject {
  return { id, type: 'function', function: { name: publicToolName(server, tool), arguments: given === '' ? '{}' : given } };
}

export function serverToolResult(id: string, content: string): JsonObject {
  return { role: 'tool', tool_call_id: id, content };
}

/** The words in a list of parts, or the text itself. */
export function wordsIn(content: Json | undefined): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.flatMap((part: Json) => (isJsonObject(part) && typeof part['text'] === 'string' ? [part['text']] : [])).join('\n');
}
