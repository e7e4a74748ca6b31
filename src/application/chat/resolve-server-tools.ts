/** Resolves the server-side tools that a chat request names, with the caller's rights. */
import { publicToolName } from '../../models/tool-names.ts';
import type { CallContext } from '../../extensions/tool-loop/call-tools.ts';
import type { ServerTool, ServerToolRequest } from '../../extensions/tool-loop/tool-requests.ts';
import type { Run } from '../../telemetry/run.ts';
import { GatewayError } from '../../types/errors.ts';
import type { JsonObject } from '../../types/json.ts';
import type { McpServerEntry, SkillEntry } from '../../types/snapshot.ts';
import type { ToolResult } from '../../types/tool-source.ts';
import { type Caller, may, requireRight, requireServer, requireSkill, toolCapability } from '../caller.ts';
import { invokeTool, isApprovalNeeded } from '../tools/invoke-tool.ts';
import type { CallServices } from '../services.ts';
import { requireNamed } from './skill-permissions.ts';
import { type FoundTool, sourcesOf, toolsOf } from '../tools/server-tools.ts';

/** The context of a call from the tool loop, with its parent run. */
export interface ToolCallContext extends CallContext {
  /** Null for a call without a parent run. */
  readonly parent: Run | null;
}

/** A tool with a function that calls it for this caller. */
export interface BoundTool extends ServerTool {
  readonly call: (input: JsonObject, context: ToolCallContext) => Promise<ToolResult>;
}

/** Calls a skill that the caller may use, as a child run. */
export type CallSkill = (skill: SkillEntry, input: JsonObject, context: ToolCallContext) => Promise<ToolResult>;

type ServerRequest = Extract<ServerToolRequest, { readonly type: 'mcp' }>;
type SkillRequest = Extract<ServerToolRequest, { readonly type: 'skill' }>;

function skillTool(caller: Caller, request: SkillRequest, callSkill: CallSkill): BoundTool {
  const skill = requireSkill(caller, request.name);
  if (skill.runsAs === undefined) requireNamed(caller, skill.spec);
  return {
    capability: `skill/${skill.name}`,
    name: publicToolName('skill', skill.name),
    description: skill.spec.description,
    inputSchema: skill.instance.describe().inputSchema,
    requiresApproval: request.asks(skill.name),
    async call(input, context) {
      requireRight(caller, 'use', skill.capability);
      return callSkill(skill, input, context);
    },
  };
}

/** Each tool of `allowed_tools`. Rights are checked first, so that a caller without rights learns no names. */
function requireAllowedTools(
  caller: Caller,
  server: McpServerEntry,
  { index, allowedTools }: ServerRequest,
  known: readonly FoundTool[],
): void {
  const param = `tools[${index}]`;
  for (const name of allowedTools ?? []) {
    if (!may(caller, 'use', toolCapability(server, name)))
      throw new GatewayError('permission_denied', `You may not use mcp/${server.name}/${name}. Ask for a grant.`, { param });
    if (!known.some((tool) => tool.name === name))
      throw new GatewayError('not_found', `The MCP server "${server.name}" has no tool named "${name}".`, {
        param: `${param}.allowed_tools`,
      });
  }
}

function nothingUsable(caller: Caller, server: McpServerEntry, { index }: ServerRequest): GatewayError {
  if (may(caller, 'use', server.capability))
    return new GatewayError('tool_failed', `The MCP server "${server.name}" shows no tools at the moment; it may be starting or down.`);
  const sentence = `You may not use any tool of mcp/${server.name}. Ask for a grant.`;
  return new GatewayError('permission_denied', sentence, { param: `tools[${index}]` });
}

function serverTools(services: CallServices, caller: Caller, server: McpServerEntry, request: ServerRequest): BoundTool[] {
  const known = toolsOf(services, caller, server);
  const { allowedTools } = request;
  requireAllowedTools(caller, server, request, known);
  const usable = known.filter(
    ({ name }) => (allowedTools === null || allowedTools.includes(name)) && may(caller, 'use', toolCapability(server, name)),
  );
  if (usable.length === 0 && allowedTools?.length !== 0) throw nothingUsable(caller, server, request);
  return usable.map((found): BoundTool => {
    const { name, definition } = found;
    return {
      capability: `mcp/${server.name}/${name}`,
      name: publicToolName(server.name, name),
      ...(definition.description === undefined ? {} : { description: definition.description }),
      inputSchema: definition.inputSchema,
      requiresApproval: request.asks(name) || isApprovalNeeded(found),
      call: (input, { parent, signal, approved }) => invokeTool(services, caller, server, name, input, { parent, signal, approved }),
    };
  });
}

/** Throws `not_found` for an unknown server, tool or skill and `permission_denied` when no tool is left. Never skips silently. */
export async function resolveServerTools(
  services: CallServices,
  caller: Caller,
  wanted: readonly ServerToolRequest[],
  callSkill: CallSkill,
): Promise<BoundTool[]> {
  const servers = wanted.map((request) => (request.type === 'mcp' ? requireServer(caller, request.serverLabel) : null));
  // Waits only for servers that have never answered, for a short time.
  const sources = servers.filter((server) => server !== null).flatMap((server) => sourcesOf(caller, server));
  await Promise.all(sources.map((server) => services.catalogue.ready(server)));
  const all = wanted.flatMap((request, position) =>
    request.type === 'mcp'
      ? serverTools(services, caller, servers[position] as McpServerEntry, request)
      : [skillTool(caller, request, callSkill)],
  );
  // A tool that is named twice requires approval when either entry does.
  const needApproval = new Set(all.filter((tool) => tool.requiresApproval).map((tool) => tool.capability));
  const once = new Map(all.map((tool) => [tool.capability, tool]));
  return [...once.values()].map((tool) => (needApproval.has(tool.capability) ? { ...tool, requiresApproval: true } : tool));
}
