/** The models, skills and MCP servers that this person may try. */
import { useQuery } from '@tanstack/react-query';
import { call, type Page } from '../../api/client.ts';
import type { Row } from '../../api/rows.ts';
import { useCan } from '../../components/can.tsx';

interface ModelRowSpec {
  readonly operations?: readonly string[];
}

export interface Offers {
  readonly models: readonly string[];
  /** As `mcp/<server>` and `skill/<name>`. */
  readonly tools: readonly string[];
  readonly error: Error | null;
  readonly refetch: () => void;
}

const most = 500;

export function useOffers(): Offers {
  const list = useQuery({
    queryKey: ['/v1/models'],
    queryFn: ({ signal }) => call<{ readonly data: readonly { readonly id: string }[] }>('GET', '/v1/models', { signal }),
  });
  const rows = useQuery({
    queryKey: ['/api/models', 'operations'],
    queryFn: ({ signal }) => call<Page<Row<ModelRowSpec>>>('GET', `/api/models?limit=${most}`, { signal }),
    enabled: useCan('llm:model:view'),
  });
  const servers = useQuery({
    queryKey: ['/api/mcp-servers', 'names'],
    queryFn: ({ signal }) => call<Page<Row>>('GET', `/api/mcp-servers?limit=${most}`, { signal }),
    enabled: useCan('llm:mcp:view'),
  });
  const silent = new Set((rows.data?.data ?? []).filter(({ spec }) => spec.operations?.includes('chat') === false).map(({ name }) => name));
  const names = (list.data?.data ?? []).map(({ id }) => id);
  return {
    models: names.filter((name) => !silent.has(name)),
    tools: [...(servers.data?.data ?? []).map(({ name }) => `mcp/${name}`), ...names.filter((name) => name.startsWith('skill/'))],
    error: list.error,
    refetch: () => void list.refetch(),
  };
}
