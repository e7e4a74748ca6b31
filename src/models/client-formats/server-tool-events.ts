/**
 * Server-side calls as client formats show them and as clients send them back. Their ids have a recognizable form, so that the stored
 * rounds can replace them (`src/extensions/tool-loop/restore-server-rounds.ts`).
 */
import { createHash } from 'node:crypto';
import { isJsonObject, type Json, type JsonObject } from '../../types/json.ts';
import { publicToolName } from '../tool-names.ts';

/** Within OpenAI's length limit for call ids. */
const serverToolCallIdPattern = /^mcp_[0-9a-f]{36}$/;
const maxOutputLength = 100_000;

export function isServerToolCallId(id: Json | undefined): boolean {
  return typeof id === 'string' && serverToolCallIdPattern.test(id);
}

/** The id of a server-side call in the conversation. A foreign id is hashed to this form, always to the same one. */
export function serverToolCallId(id: string): string {
  return isServerToolCallId(id) ? id : `mcp_${createHash('sha256').update(id).digest('hex').slice(0, 36)}`;
}

/** The conversation id of an approved call, derived from the id of its approval, so that it is the same everywhere. */
export function approvedCallId(approval: string): string {
  return serverToolCallId(approval.replace(/^apr_(?=[0-9a-f]{36}$)/, 'mcp_'));
}

/** Pending approvals are numbered from the middle, so that their ids never equal those of executed calls. */
const firstApprovalNumber = 0x8000;
export function approvalId(run: string, index: number): string {
  return `apr_${run.replaceAll('-', '')}${(firstApprovalNumber + index).toString(16)}`;
}
export function isApprovedCallId(id: Json | undefined): boolean {
  return typeof id === 'string' && isServerToolCallId(id) && Number.parseInt(id.slice(-4), 16) >= firstApprovalNumber;
}

/** The output as it is shown, truncated when too long. */
export function serverToolOutput(output: string): string {
  if (output.length <= maxOutputLength) return output;
  const shown = output.slice(0, maxOutputLength).toWellFormed();
  return `${shown}\n[Cut: the first ${maxOutputLength} of ${output.length} characters.]`;
}

/** `mcp/files/read` is `read` of the server `files`; a skill belongs to the server `skill`. */
export function serverAndTool(capability: string): { readonly server: string; readonly name: string } {
  const [kind = '', first = '', ...rest] = capability.split('/');
  return kind === 'mcp' ? { server: first, name: rest.join('/') } : { server: kind, name: [first, ...rest].join('/') };
}

/** A server-side call under the tool name that the model knows. */
export function serverToolCall(id: string, server: string, tool: string, args: string): JsonObject {
  return { id, type: 'function', function: { name: publicToolName(server, tool), arguments: args === '' ? '{}' : args } };
}

export function serverToolResult(id: string, content: string): JsonObject {
  return { role: 'tool', tool_call_id: id, content };
}

/** The text of a list of parts, or the text itself. */
export function textOfParts(content: Json | undefined): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.flatMap((part: Json) => (isJsonObject(part) && typeof part['text'] === 'string' ? [part['text']] : [])).join('\n');
}
