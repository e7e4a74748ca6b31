/** Which tools a server has for a caller: its own, or for a virtual server those that it selects from others. */
import type { McpServerEntry } from '../../types/snapshot.ts';
import type { ToolDefinition } from '../../types/tool-source.ts';
import { publicToolName } from '../../models/tool-names.ts';
import { type Caller, may, toolCapability } from '../caller.ts';
import type { CallServices } from '../services.ts';

/** A tool of `server` by `name`, which calls the tool `definition.name` of `source`. Both are the same unless `server` is virtual. */
export interface FoundTool {
  readonly server: McpServerEntry;
  readonly name: string;
  readonly source: McpServerEntry;
  readonly definition: ToolDefinition;
}

type View = Pick<Caller, 'view'>;

export const isVirtual = (server: McpServerEntry): boolean => server.spec.kind === 'virtual';

function selects(pattern: string, reference: string): boolean {
  return pattern.endsWith('*') ? reference.startsWith(pattern.slice(0, -1)) : reference === pattern;
}

const patternsOf = (server: McpServerEntry): readonly string[] => (server.spec.options['tools'] ?? []) as readonly string[];

/** The servers that `server`'s tools come from. A pattern names its server in full. */
export function sourcesOf({ view }: View, server: McpServerEntry): readonly McpServerEntry[] {
  if (!isVirtual(server)) return [server];
  const names = new Set(patternsOf(server).map((pattern) => pattern.slice(0, pattern.indexOf('/'))));
  return [...view.mcpServers.values()].filter((source) => !isVirtual(source) && names.has(source.name));
}

/** Two servers' tools of one name are told apart by their servers' names. */
function virtualTools(services: CallServices, caller: View, server: McpServerEntry): FoundTool[] {
  const patterns = patternsOf(server);
  const chosen = sourcesOf(caller, server).flatMap((source) =>
    services.catalogue
      .tools(source)
      .filter((definition) => patterns.some((pattern) => selects(pattern, `${source.name}/${definition.name}`)))
      .map((definition) => ({ server, name: definition.name, source, definition })),
  );
  const uses = Map.groupBy(chosen, (found) => found.name);
  return chosen.map((found) =>
    (uses.get(found.name)?.length ?? 0) > 1 ? { ...found, name: publicToolName(found.source.name, found.definition.name) } : found,
  );
}

/** From memory: a dead server delays nothing. Whatever the caller may not see is in it too. */
export function toolsOf(services: CallServices, caller: View, server: McpServerEntry): readonly FoundTool[] {
  if (isVirtual(server)) {
    const allowed = server.spec.allowed_tools;
    const tools = virtualTools(services, caller, server);
    return allowed === null ? tools : tools.filter((tool) => allowed.includes(tool.name));
  }
  return services.catalogue.tools(server).map((definition) => ({ server, name: definition.name, source: server, definition }));
}

/** The tools that the caller may see. */
export function visibleTools(services: CallServices, caller: Caller, server: McpServerEntry): readonly FoundTool[] {
  return toolsOf(services, caller, server).filter((tool) => may(caller, 'view', toolCapability(server, tool.name)));
}
