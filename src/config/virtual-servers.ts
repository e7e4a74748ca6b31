/** Checks virtual MCP servers: they select from real servers only, so that it stays clear who offers what. */
import { GatewayError } from '../types/errors.ts';
import type { ConfigRow } from '../types/resources.ts';

type Server = Pick<ConfigRow, 'name' | 'spec'>;

export const isVirtual = ({ spec }: Pick<ConfigRow, 'spec'>): boolean => spec['kind'] === 'virtual';

/** The servers in its patterns, in order. A pattern names its server in full. */
export function selectedBy({ spec }: Pick<ConfigRow, 'spec'>): readonly string[] {
  const options = spec['options'] as { readonly tools?: unknown } | undefined;
  const patterns = Array.isArray(options?.tools) ? (options.tools as readonly unknown[]) : [];
  return patterns.map((pattern) => String(pattern).split('/', 1)[0] ?? '');
}

/** Virtual servers that select from a virtual one. An unknown server may be named, because it may come later. */
export function virtualFaults(servers: ReadonlyMap<string, Server>): { readonly name: string; readonly error: GatewayError }[] {
  return [...servers.values()].filter(isVirtual).flatMap((server) => {
    const selected = selectedBy(server);
    const index = selected.findIndex((name) => name === server.name || (servers.has(name) && isVirtual(servers.get(name) as Server)));
    if (index === -1) return [];
    const param = `spec.options.tools[${index}]`;
    const message = `${param}: "${selected[index]}" is a virtual server itself; name the servers that the tools come from.`;
    return [{ name: server.name, error: new GatewayError('configuration_invalid', message, { param }) }];
  });
}
