/** The models and skills that this person may chat with. */
import { useQuery } from '@tanstack/react-query';
import { call, callAll } from '../api/client.ts';
import type { Row } from '../api/rows.ts';
import { useCan } from './can.tsx';

interface ModelOperations {
  readonly operations?: readonly string[];
}

export interface ModelNames {
  readonly names: readonly string[];
  readonly error: Error | null;
  readonly refetch: () => void;
}

/** Models come before skills, which may ask for more than a question, and those of the team before those of the installation. */
function rankOf(name: string): number {
  if (name.startsWith('skill/')) return name.startsWith('skill/demo-') ? 3 : 2;
  return name.startsWith('demo/') ? 1 : 0;
}

/** Embedding and other models that answer no chat are left out, as far as the person may see what they do. */
export function useModelNames(): ModelNames {
  const list = useQuery({
    queryKey: ['/v1/models'],
    queryFn: ({ signal }) => call<{ readonly data: readonly { readonly id: string }[] }>('GET', '/v1/models', { signal }),
  });
  const rows = useQuery({
    queryKey: ['/api/models', 'operations'],
    queryFn: ({ signal }) => callAll<Row<ModelOperations>>('/api/models', signal),
    enabled: useCan('llm:model:view'),
  });
  const silent = new Set((rows.data ?? []).filter(({ spec }) => spec.operations?.includes('chat') === false).map(({ name }) => name));
  const names = (list.data?.data ?? []).map(({ id }) => id).filter((name) => !silent.has(name));
  return {
    names: names.toSorted((one, other) => rankOf(one) - rankOf(other)),
    error: list.error,
    refetch: () => void list.refetch(),
  };
}
