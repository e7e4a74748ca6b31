/** The server-side tools that a chat request names, resolved in the registry with the caller's rights. */
import type { ServerTool, ServerToolRequest } from '../../extensions/tool-requests.ts';
import type { McpServerEntry } from '../../types/snapshot.ts';
import { GatewayError } from '../../types/errors.ts';
import { type Caller, may, requireServer, toolCapability } from './caller.ts';
import type { CallServices } from './services.ts';
import { sourcesOf, toolsOf } from './tools.ts';

/** Throws `not_found` for an unknown server or tool and `permission_denied` where no tool is left: loud, never a silent skip. */
export async function resolveServerTools(
  services: CallServices,
  caller: Caller,
  wanted: readonly ServerToolRequest[],
): Promise<ServerTool[]> {
  const servers = wanted.map((request) => requireServer(caller, request.serverLabel));
  // Only a server that never answered yet is waited for, a little.
  await Promise.all(servers.flatMap((server) => sourcesOf(caller, server)).map((server) => services.catalogue.ready(server)));
  return wanted.flatMap((request, position) => {
    const server = servers[position] as McpServerEntry;
    const known = toolsOf(services, caller, server);
    const named = request.allowedTools;
    for (const name of named ?? []) {
      if (!known.some((tool) => tool.name === name)) {
        throw new GatewayError('not_found', `The MCP server "${server.name}" has no tool named "${name}".`, {
          param: `tools[${request.index}].allowed_tools`,
        });
      }
      if (!may(caller, 'use', toolCapability(server, name))) {
        throw new GatewayError('permission_denied', `You may not use mcp/${server.name}/${name}. Ask for a grant.`, {
          param: `tools[${request.index}]`,
        });
      }
    }
    const usable = known.filter(
      (tool) => (named === null || named.includes(tool.name)) && may(caller, 'use', toolCapability(server, tool.name)),
    );
    if (usable.length === 0) {
      const reachable = may(caller, 'use', server.capability);
      if (!reachable)
        throw new GatewayError('permission_denied', `You may not use any tool of mcp/${server.name}. Ask for a grant.`, {
          param: `tools[${request.index}]`,
        });
      throw new GatewayError('tool_failed', `The MCP server "${server.name}" shows no tools at the moment; it may be starting or down.`);
    }
    return usable.map((tool) => ({ server, definition: { ...tool.definition, name: tool.name } }));
  });
}
