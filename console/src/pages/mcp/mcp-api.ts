/** What the page reads and does below `/api/mcp-servers/{name}`, and a call of a tool through the gate itself. */
import { useMutation, type UseMutationResult, useQuery, useQueryClient, type UseQueryResult } from '@tanstack/react-query';
import { ApiError } from '../../api/api-error.ts';
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
  readonly inputSchema?: FormSchema;
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

export interface ContentBlock {
  readonly type: string;
  readonly text?: string;
  readonly mimeType?: string;
  readonly uri?: string;
}

export interface ToolResult {
  /** Missing in a question back to the client, which this client does not answer. */
  readonly content?: readonly ContentBlock[];
  readonly structuredContent?: unknown;
  readonly isError?: boolean;
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

/** The protocol without sessions. Without a progress token and a log level, the gate answers with JSON and never with an event stream. */
const protocol = '2026-07-28';

interface RpcAnswer {
  readonly result?: ToolResult;
  readonly error?: { readonly code: number; readonly message: string };
}

/** Calls the tool as any MCP client does, so that rights, limits and the ledger apply. */
export async function callTool(server: string, tool: string, input: Spec): Promise<ToolResult> {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': protocol,
    'io.modelcontextprotocol/clientInfo': { name: 'pailou-console', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const answer = await call<RpcAnswer>('POST', `/mcp/${encodeURIComponent(server)}`, {
    body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool, arguments: input, _meta: meta } },
    headers: {
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': protocol,
      'mcp-method': 'tools/call',
      'mcp-name': tool,
    },
  });
  if (answer.result !== undefined) return answer.result;
  const { message = '' } = answer.error ?? {};
  throw new ApiError({ status: 200, code: 'tool_failed', message, param: null, requestId: null });
}
