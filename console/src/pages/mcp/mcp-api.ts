/** What the page reads and does below `/api/mcp-servers/{name}`. */
import { useMutation, type UseMutationResult, useQuery, useQueryClient, type UseQueryResult } from '@tanstack/react-query';
import type { ApiError } from '../../api/api-error.ts';
import { call, callAll } from '../../api/client.ts';
import type { FormSchema } from '../../api/kinds.ts';
import type { Row, Spec } from '../../api/rows.ts';
import type { Difference } from '../../components/differences.ts';

export interface McpSpec extends Spec {
  readonly kind: string;
  readonly description: string;
  readonly prefix?: string | null;
  readonly approval?: 'never' | 'destructive' | 'always';
}

export interface Definition {
  readonly description?: string;
  /** Of a tool. */
  readonly inputSchema?: FormSchema;
  /** Of a resource. */
  readonly uri?: string;
  /** Of a template of resources. */
  readonly uriTemplate?: string;
  /** Of a prompt. */
  readonly arguments?: readonly { readonly name: string; readonly description?: string; readonly required?: boolean }[];
}

export interface McpItem {
  readonly kind: 'tool' | 'resource' | 'template' | 'prompt' | 'instructions';
  readonly name: string;
  readonly state: 'approved' | 'changed' | 'new';
  readonly present: boolean;
  readonly enabled: boolean;
  readonly definition: Definition | null;
  readonly seen_definition: Definition | null;
  readonly digest: string;
  readonly seen_digest: string | null;
  readonly differences: readonly Difference[];
}

export interface McpHealth {
  readonly tools: number;
  readonly quarantined: number;
  readonly synced_at: string | null;
  readonly error: string | null;
  readonly problems: readonly string[];
  readonly connections: readonly {
    readonly subject: string | null;
    readonly state: 'connecting' | 'connected';
    readonly protocol: string | null;
    readonly pid: number | null;
    readonly memory_bytes: number | null;
    readonly since: string;
    readonly calls_under_way: number;
  }[];
}

const serverPath = (name: string): string => `/api/mcp-servers/${encodeURIComponent(name)}`;

export function useItems(name: string): UseQueryResult<readonly McpItem[]> {
  return useQuery({
    queryKey: ['/api/mcp-servers', 'items', name],
    queryFn: ({ signal }) => callAll<McpItem>(`${serverPath(name)}/items`, signal),
  });
}

export function useHealth(name: string): UseQueryResult<McpHealth> {
  return useQuery({
    queryKey: ['/api/mcp-servers', 'health', name],
    queryFn: ({ signal }) => call<McpHealth>('GET', `${serverPath(name)}/health`, { signal }),
    refetchInterval: 5_000,
  });
}

/** One act on a server, after which its row, items and health are read again. */
export function useServerAct<Answer, Value>(act: (value: Value) => Promise<Answer>): UseMutationResult<Answer, ApiError, Value> {
  const client = useQueryClient();
  return useMutation({ mutationFn: act, onSettled: () => client.invalidateQueries({ queryKey: ['/api/mcp-servers'] }) });
}

export async function sync(name: string): Promise<void> {
  await call('POST', `${serverPath(name)}/sync`);
}

export async function approve(name: string, items: readonly McpItem[]): Promise<void> {
  const reviewed = items.map(({ kind, name: item, digest, seen_digest: seen }) => ({ kind, name: item, digest: seen ?? digest }));
  await call('POST', `${serverPath(name)}/items/approve`, { body: { items: reviewed } });
}

export async function switchTool(name: string, tool: string, enabled: boolean): Promise<Row> {
  return call<Row>('PATCH', `${serverPath(name)}/tools/${encodeURIComponent(tool)}`, { body: { enabled } });
}
