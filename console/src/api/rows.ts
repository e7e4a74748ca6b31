/** The rows of the control API: lists by keyset, one row, and changes that never overwrite those of another person. */
import { keepPreviousData, useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { InfiniteData, UseInfiniteQueryResult, UseMutationResult, UseQueryResult } from '@tanstack/react-query';
import type { ApiError } from './api-error.ts';
import { call, type Page, queryOf } from './client.ts';

export type Collection = 'providers' | 'models' | 'skills' | 'mcp-servers' | 'limits' | 'grants' | 'teams' | 'service-accounts';
export type Spec = Readonly<Record<string, unknown>>;

export interface Row<S = Spec> {
  readonly id: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly owner: string | null;
  readonly revision: number;
  readonly spec: S;
  readonly updated_at: string;
  readonly updated_by: string;
  /** Why the row cannot be changed here: a configuration file owns it. */
  readonly locked?: string;
  /** The reader may view the row but not manage it. */
  readonly partial?: true;
}

/** Names may hold slashes; the gateway reads them as one part of the path. */
export function rowPath(collection: Collection, name: string): string {
  return `/api/${collection}/${name.split('/').map(encodeURIComponent).join('/')}`;
}

const pageSize = 200;

export type PagedQuery<T> = UseInfiniteQueryResult<InfiniteData<Page<T>>, Error>;

export interface PagingOptions {
  readonly limit?: number;
  /** Shows the first page alone, which renews itself. */
  readonly isLive?: boolean;
  /** Asks for it this often while the browser shows it. */
  readonly everyMs?: number | null;
}

/** A list by keyset. `query` filters it on the server. */
export function usePaged<T>(
  path: string,
  query: Readonly<Record<string, string | number | undefined>> = {},
  { limit = pageSize, isLive = false, everyMs = null }: PagingOptions = {},
): PagedQuery<T> {
  return useInfiniteQuery({
    queryKey: [path, query],
    queryFn: ({ pageParam, signal }) => call<Page<T>>('GET', path + queryOf({ ...query, limit, after: pageParam }), { signal }),
    initialPageParam: undefined as string | undefined,
    // A list that renews itself has one page: a refetch of several would stop at the oldest.
    getNextPageParam: ({ next }) => (isLive ? undefined : (next ?? undefined)),
    // A change of filters keeps the old rows until the new ones are there.
    placeholderData: keepPreviousData,
    ...(everyMs === null ? {} : { refetchInterval: everyMs }),
  });
}

export function useRow<S>(collection: Collection, name: string | null): UseQueryResult<Row<S>> {
  return useQuery({
    queryKey: [`/api/${collection}`, 'one', name],
    queryFn: ({ signal }) => call<Row<S>>('GET', rowPath(collection, name ?? ''), { signal }),
    enabled: name !== null,
    // A form never starts with what an earlier visit saw.
    refetchOnMount: 'always',
  });
}

export interface RowChange {
  readonly name: string;
  readonly spec: Spec;
  readonly enabled: boolean;
  /** The revision that the form shows; undefined creates the row. */
  readonly revision?: number | undefined;
}

/** Lists whose rows say what the rows of a collection are for. */
const dependents: Readonly<Partial<Record<Collection, string>>> = { grants: '/api/shared' };

function useRefresh(collection: Collection): () => Promise<unknown> {
  const client = useQueryClient();
  const paths = [`/api/${collection}`, dependents[collection]].filter((path) => path !== undefined);
  return () => Promise.all(paths.map((path) => client.invalidateQueries({ queryKey: [path] })));
}

export function useSaveRow(collection: Collection): UseMutationResult<Row, ApiError, RowChange> {
  const refresh = useRefresh(collection);
  return useMutation({
    mutationFn: ({ name, spec, enabled, revision }) =>
      revision === undefined
        ? call<Row>('POST', `/api/${collection}`, { body: { ...(name === '' ? {} : { name }), spec, enabled } })
        : call<Row>('PUT', rowPath(collection, name), { body: { spec, enabled }, ifMatch: revision }),
    onSettled: refresh,
  });
}

export function useDeleteRow(
  collection: Collection,
): UseMutationResult<void, ApiError, { readonly name: string; readonly revision: number }> {
  const refresh = useRefresh(collection);
  return useMutation({
    mutationFn: ({ name, revision }) => call<void>('DELETE', rowPath(collection, name), { ifMatch: revision }),
    onSuccess: refresh,
  });
}
