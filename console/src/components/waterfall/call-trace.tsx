/** The waterfall of one call, read by the id of its run. */
import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import { Skeleton } from 'antd';
import type { ReactNode } from 'react';
import { ApiError } from '../../api/api-error.ts';
import { readRunTree, type RunTree } from '../../api/runs.ts';
import { ErrorState } from '../error-state.tsx';
import { Waterfall } from './waterfall.tsx';

/** A call is booked a moment after its answer, so a fresh trace is asked for again. */
const isNotYetBooked = (error: Error): boolean => error instanceof ApiError && error.status === 404;

export function useRunTree(id: string): UseQueryResult<RunTree> {
  return useQuery({
    queryKey: ['/api/runs', 'tree', id],
    queryFn: ({ signal }) => readRunTree(id, signal),
    retry: (count, error) => count < 8 && isNotYetBooked(error),
    retryDelay: 500,
  });
}

export function CallTrace({ id }: { readonly id: string }): ReactNode {
  const tree = useRunTree(id);
  if (tree.error !== null) return <ErrorState error={tree.error} onRetry={() => void tree.refetch()} />;
  return tree.data === undefined ? <Skeleton active /> : <Waterfall key={tree.data.id} tree={tree.data} />;
}
