/** Server-side tools as a chat request asks for them: `{"type":"mcp","server_label":…}` beside `function` tools. */
import type { ChatBody } from '../types/chat.ts';
import { GatewayError } from '../types/errors.ts';
import { isJsonObject, type JsonObject } from '../types/json.ts';
import type { McpServerEntry } from '../types/snapshot.ts';
import type { ToolDefinition } from '../types/tool-source.ts';

export interface ServerToolRequest {
  /** Its place in `tools`, for messages. */
  readonly index: number;
  readonly serverLabel: string;
  /** Null for all that the caller may use. */
  readonly allowedTools: readonly string[] | null;
}

/** One tool that Pailou itself calls for the model. */
export interface ServerTool {
  readonly server: McpServerEntry;
  readonly definition: ToolDefinition;
}

function refuse(index: number, field: string, message: string): GatewayError {
  const param = `tools[${index}].${field}`;
  return new GatewayError('invalid_request', `${param}: ${message}`, { param });
}

function readRequest(tool: JsonObject, index: number): ServerToolRequest {
  const { server_label: serverLabel, allowed_tools: allowed, require_approval: approval } = tool;
  if (tool['server_url'] !== undefined)
    throw refuse(
      index,
      'server_url',
      'addresses in a request are not followed; ask an administrator to register the server, and name it as server_label.',
    );
  if (typeof serverLabel !== 'string' || serverLabel === '')
    throw refuse(index, 'server_label', 'must be the name of a registered MCP server.');
  const names =
    Array.isArray(allowed) || allowed === undefined || allowed === null ? allowed : isJsonObject(allowed) ? allowed['tool_names'] : allowed;
  if (names !== undefined && names !== null && !(Array.isArray(names) && names.every((name) => typeof name === 'string'))) {
    throw refuse(index, 'allowed_tools', 'must be a list of tool names.');
  }
  if (approval !== undefined && approval !== null && approval !== 'never') {
    throw refuse(index, 'require_approval', 'approval is not possible yet; write "never", or leave this field out.');
  }
  return { index, serverLabel, allowedTools: (names as readonly string[] | null | undefined) ?? null };
}

/** Empty for a request without server-side tools: it never enters the loop. Throws `invalid_request` naming the field. */
export function serverToolRequests(body: ChatBody): ServerToolRequest[] {
  const { tools } = body;
  if (tools === undefined || tools === null) return [];
  const requests: ServerToolRequest[] = [];
  for (const [index, tool] of tools.entries()) {
    if (tool['type'] === 'mcp') requests.push(readRequest(tool, index));
    else if (tool['type'] === 'skill')
      throw refuse(index, 'type', 'skills as tools are not possible yet; call the skill as model "skill/<name>".');
  }
  return requests;
}
