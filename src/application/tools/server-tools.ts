/** The tools that a server has for a caller: its own, or for a virtual server those that it selects from others. */
import type { McpServerEntry } from '../../types/snapshot.ts';
import type { ToolDefinition } from '../../types/tool-source.ts';
import { publicToolName } from '../../models/tool-names.ts';
import { type Caller, may, toolCapability } from '../caller.ts';
import { mcpRowsOf } from '../mcp/name-owners.ts';
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

/** The servers that provide `server`'s tools. A pattern contains the full name of a server. */
export function sourcesOf({ view }: View, server: McpServerEntry): readonly McpServerEntry[] {
  if (!isVirtual(server)) return [server];
  const names = new Set(patternsOf(server).map((pattern) => pattern.slice(0, pattern.indexOf('/'))));
  return [...view.mcpServers.values()].filter((source) => !isVirtual(source) && names.has(source.name));
}

/** A tool that the patterns select, of any server, approved or not. */
interface Selected {
  /** The id of the row of the server that provides it. */
  readonly row: string;
  readonly name: string;
  /** With the name of its server. */
  readonly qualified: string;
}

/** Everything that a virtual server's patterns select, including tools that are quarantined, switched off, or of a disabled server. */
function selectedBy({ catalogue }: CallServices, { view }: View, server: McpServerEntry): readonly Selected[] {
  const patterns = patternsOf(server);
  const names = new Set(patterns.map((pattern) => pattern.slice(0, pattern.indexOf('/'))));
  return mcpRowsOf(view)
    .filter((row) => names.has(row.name))
    .flatMap((row) =>
      catalogue
        .definitions(row.id)
        .filter(({ kind, present, name }) => kind === 'tool' && present && patterns.some((each) => selects(each, `${row.name}/${name}`)))
        .map(({ name }) => ({ row: row.id, name, qualified: publicToolName(row.name, name) })),
    );
}

/** Tools of two servers with the same name get their servers' names as prefix, even when only one can be called. */
function virtualTools(services: CallServices, caller: View, server: McpServerEntry): FoundTool[] {
  const patterns = patternsOf(server);
  const selected = selectedBy(services, caller, server);
  const uses = Map.groupBy(selected, ({ name }) => name);
  const qualified = new Set(selected.map((each) => each.qualified));
  return sourcesOf(caller, server).flatMap((source) =>
    services.catalogue
      .tools(source)
      .filter((definition) => patterns.some((pattern) => selects(pattern, `${source.name}/${definition.name}`)))
      .map((definition) => {
        const isShared = uses.get(definition.name)?.some(({ row }) => row !== source.id) ?? false;
        const name = isShared || qualified.has(definition.name) ? publicToolName(source.name, definition.name) : definition.name;
        return { server, name, source, definition };
      }),
  );
}

/** From memory, so that an unavailable server causes no delay. Includes tools that the caller may not view. */
export function toolsOf(services: CallServices, caller: View, server: McpServerEntry): readonly FoundTool[] {
  if (isVirtual(server)) {
    const allowed = server.spec.allowed_tools;
    const tools = virtualTools(services, caller, server);
    return allowed === null ? tools : tools.filter((tool) => allowed.includes(tool.name));
  }
  return services.catalogue.tools(server).map((definition) => ({ server, name: definition.name, source: server, definition }));
}

/** The tools that the caller may view. */
export function visibleTools(services: CallServices, caller: Caller, server: McpServerEntry): readonly FoundTool[] {
  return toolsOf(services, caller, server).filter((tool) => may(caller, 'view', toolCapability(server, tool.name)));
}
