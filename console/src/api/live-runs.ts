/** Follows the runs of the ledger: each run that ends is merged into the first page of its list. */
import { type InfiniteData, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { gatewayPath, type Page, queryOf } from './client.ts';
import type { Run } from './runs.ts';

type Runs = InfiniteData<Page<Run>>;

/** Runs are merged together after this time, so that many calls a second redraw the list a few times. */
const mergeMs = 250;

const newestFirst = (one: Run, other: Run): number =>
  one.started_at === other.started_at ? (one.id < other.id ? 1 : -1) : one.started_at < other.started_at ? 1 : -1;

/** The first page with these runs in their places, as long as before. */
function withRuns(list: Runs | undefined, fresh: readonly Run[], limit: number): Runs | undefined {
  const [page] = list?.pages ?? [];
  if (list === undefined || page === undefined) return list;
  const byId = new Map([...page.data, ...fresh].map((run) => [run.id, run]));
  return { pages: [{ ...page, data: [...byId.values()].toSorted(newestFirst).slice(0, limit) }], pageParams: list.pageParams.slice(0, 1) };
}

/** `query` and `limit` are those of the list. True while the stream is open; while it is not, the list must ask by itself. */
export function useLiveRuns(query: Readonly<Record<string, string | undefined>>, limit: number, isLive: boolean): boolean {
  const client = useQueryClient();
  const [isOpen, setOpen] = useState(false);
  // A text, because the object is another one with each drawing.
  const asked = JSON.stringify(query);
  useEffect(() => {
    if (!isLive) return undefined;
    const filters = JSON.parse(asked) as Readonly<Record<string, string>>;
    const key = ['/api/runs', filters];
    const refresh = (): void => void client.invalidateQueries({ queryKey: key });
    let fresh: Run[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const merge = (): void => {
      timer = undefined;
      const runs = fresh;
      fresh = [];
      client.setQueryData<Runs>(key, (list) => withRuns(list, runs, limit));
    };
    const source = new EventSource(`${gatewayPath}api/runs/stream${queryOf(filters)}`);
    source.addEventListener('ready', () => {
      setOpen(true);
      // Runs may have ended between the list and the stream.
      refresh();
    });
    source.addEventListener('missed', refresh);
    source.addEventListener('run', ({ data }) => {
      fresh.push(JSON.parse(data as string) as Run);
      timer ??= setTimeout(merge, mergeMs);
    });
    // The browser opens it again by itself, unless the gateway refuses.
    source.addEventListener('error', () => setOpen(false));
    return () => {
      source.close();
      clearTimeout(timer);
      setOpen(false);
      // The pages behind the first one begin where that one ended.
      refresh();
    };
  }, [client, asked, limit, isLive]);
  return isOpen;
}
