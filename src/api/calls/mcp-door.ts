/** What one caller finds at /mcp (all servers, prefixed names) or at /mcp/<server> (one server, its own names). */
import { setTimeout } from 'node:timers/promises';
import type { McpDoor } from '../../extensions/mcp/gate.ts';
import { publicToolName } from '../../extensions/tool-names.ts';
import { GatewayError } from '../../types/errors.ts';
import type { McpServerEntry } from '../../types/snapshot.ts';
import type { ToolDefinition } from '../../types/tool-source.ts';
import type { Caller } from './caller.ts';
import { invokeTool, visibleTools } from './invoke-tool.ts';
import type { CallServices } from './services.ts';

/** So long a list waits for servers that were never asked. */
const firstListMs = 2_000;

interface Offered {
  readonly server: McpServerEntry;
  readonly tool: ToolDefinition;
}

export function openMcpDoor(services: CallServices, caller: Caller, only: McpServerEntry | null): McpDoor {
  const servers = only === null ? [...caller.view.mcpServers.values()] : [only];
  const shownName = ({ server, tool }: Offered): string => (only === null ? publicToolName(server.name, tool.name) : tool.name);
  const offered = (): Offered[] => servers.flatMap((server) => visibleTools(services, caller, server).map((tool) => ({ server, tool })));

  /** Undefined for a name that nobody knows; throws for one that several servers have. */
  const find = (name: string): Offered | undefined => {
    const all = offered();
    const shown = all.find((each) => shownName(each) === name);
    if (shown !== undefined) return shown;
    const bare = all.filter((each) => each.tool.name === name);
    if (bare.length > 1)
      throw new GatewayError('invalid_request', `Several servers have a tool "${name}"; use ${bare.map(shownName).join(' or ')}.`);
    return bare[0];
  };

  return {
    async tools() {
      // A client asks once, when it connects: after a restart it would find nothing. A server that is known to be down delays nobody.
      const unasked = servers.filter((server) => !services.catalogue.known(server) && services.catalogue.health(server).error === null);
      if (unasked.length > 0) {
        const patience = new AbortController();
        const tired = setTimeout(firstListMs, undefined, { signal: patience.signal, ref: false }).catch(() => {});
        await Promise.race([Promise.all(unasked.map((server) => services.catalogue.ready(server))), tired]);
        patience.abort();
      }
      return offered()
        .map((each) => ({ ...each.tool, name: shownName(each) }))
        .toSorted((one, other) => (one.name < other.name ? -1 : 1));
    },
    async call(name, input, signal) {
      let found = find(name);
      if (found === undefined) {
        // A server that never answered yet is given its chance before its tools are said not to exist.
        await Promise.all(servers.map((server) => services.catalogue.ready(server)));
        found = find(name);
      }
      if (found === undefined) throw new GatewayError('not_found', `There is no tool "${name.slice(0, 200)}" for you here.`);
      const { server, tool } = found;
      return invokeTool(services, caller, server, tool.name, input, { signal: AbortSignal.any([signal, caller.signal]) });
    },
  };
}
