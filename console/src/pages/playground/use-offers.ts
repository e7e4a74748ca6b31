/** The models, skills and MCP servers that this person may try. */
import { useQuery } from '@tanstack/react-query';
import { callAll } from '../../api/client.ts';
import type { Row } from '../../api/rows.ts';
import { useCan } from '../../components/can.tsx';
import { useModelNames } from '../../components/model-names.ts';

export interface Offers {
  readonly models: readonly string[];
  /** As `mcp/<server>` and `skill/<name>`. */
  readonly tools: readonly string[];
  readonly error: Error | null;
  readonly refetch: () => void;
}

export function useOffers(): Offers {
  const { names, error, refetch } = useModelNames();
  const servers = useQuery({
    queryKey: ['/api/mcp-servers', 'names'],
    queryFn: ({ signal }) => callAll<Row>('/api/mcp-servers', signal),
    enabled: useCan('llm:mcp:view'),
  });
  return {
    models: names,
    tools: [...(servers.data ?? []).map(({ name }) => `mcp/${name}`), ...names.filter((name) => name.startsWith('skill/'))],
    error,
    refetch,
  };
}
