/** The last day of each deployment by hour, from the roll-ups. */
import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import { call, queryOf } from '../../api/client.ts';

export interface Hour {
  readonly start: string;
  readonly runs: number;
  readonly failed: number;
}

interface Series {
  readonly series: readonly {
    readonly of: { readonly deployment: string | null };
    readonly points: readonly Hour[];
  }[];
}

const hourMs = 3_600_000;
const hoursShown = 24;

export interface Day {
  /** The beginnings of the hours, in epoch milliseconds. */
  readonly starts: readonly number[];
  readonly byDeployment: ReadonlyMap<string, readonly Hour[]>;
}

export function useHours(enabled: boolean): UseQueryResult<Day> {
  return useQuery({
    queryKey: ['/api/reports/series', 'hours by deployment'],
    queryFn: async ({ signal }) => {
      const end = Math.ceil(Date.now() / hourMs) * hourMs;
      const from = new Date(end - hoursShown * hourMs).toISOString();
      const to = new Date(end).toISOString();
      const { series } = await call<Series>('GET', `/api/reports/series${queryOf({ step: 'hour', by: 'deployment', top: 50, from, to })}`, {
        signal,
      });
      return {
        starts: Array.from({ length: hoursShown }, (_each, index) => end - (hoursShown - index) * hourMs),
        byDeployment: new Map(series.flatMap(({ of, points }) => (of.deployment === null ? [] : [[of.deployment, points] as const]))),
      };
    },
    enabled,
    refetchInterval: 60_000,
  });
}
