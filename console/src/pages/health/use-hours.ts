/** The last day of each deployment by hour: the calls that it answered, and the attempts at it that failed, both from sums. */
import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import { call, queryOf } from '../../api/client.ts';

export interface Hour {
  readonly answered: number;
  /** Attempts, also those after which another deployment answered. */
  readonly failed: number;
}

interface Point {
  readonly start: string;
  readonly runs: number;
  /** Runs that ended with an error. */
  readonly failed: number;
}

interface Series {
  readonly series: readonly {
    readonly of: { readonly deployment: string | null } | null;
    readonly points: readonly Point[];
  }[];
}

export interface FailedAttempts {
  readonly data: readonly {
    readonly deployment: string;
    readonly points: readonly { readonly start: string; readonly failed: number }[];
  }[];
}

const hourMs = 3_600_000;
const hoursShown = 24;
const shown = 50;

/** The hours of a deployment by their beginnings, in epoch milliseconds. */
export type Hours = ReadonlyMap<number, Hour>;

export interface Day {
  readonly starts: readonly number[];
  readonly byDeployment: ReadonlyMap<string, Hours>;
}

function hoursOf({ series }: Series, { data }: FailedAttempts): ReadonlyMap<string, Hours> {
  const found = new Map<string, Map<number, Hour>>();
  const add = (deployment: string, start: string, answered: number, failed: number): void => {
    const hours = found.get(deployment) ?? new Map<number, Hour>();
    found.set(deployment, hours);
    const before = hours.get(Date.parse(start)) ?? { answered: 0, failed: 0 };
    hours.set(Date.parse(start), { answered: before.answered + answered, failed: before.failed + failed });
  };
  for (const { of, points } of series)
    if (of !== null && of.deployment !== null) for (const { start, runs, failed } of points) add(of.deployment, start, runs - failed, 0);
  for (const { deployment, points } of data) for (const { start, failed } of points) add(deployment, start, 0, failed);
  return found;
}

export function useHours(enabled: boolean): UseQueryResult<Day> {
  return useQuery({
    queryKey: ['/api/reports/series', 'hours by deployment'],
    queryFn: async ({ signal }) => {
      const end = Math.ceil(Date.now() / hourMs) * hourMs;
      const period = { from: new Date(end - hoursShown * hourMs).toISOString(), to: new Date(end).toISOString() };
      const [runs, attempts] = await Promise.all([
        call<Series>('GET', `/api/reports/series${queryOf({ step: 'hour', by: 'deployment', top: shown, ...period })}`, { signal }),
        call<FailedAttempts>('GET', `/api/reports/failed-attempts${queryOf({ top: shown, ...period })}`, { signal }),
      ]);
      return {
        starts: Array.from({ length: hoursShown }, (_each, index) => end - (hoursShown - index) * hourMs),
        byDeployment: hoursOf(runs, attempts),
      };
    },
    enabled,
    refetchInterval: 60_000,
  });
}
