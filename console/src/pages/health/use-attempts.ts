/** The attempts of each deployment yesterday and today (UTC), on all nodes, and how many of them failed. */
import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import { call, queryOf } from '../../api/client.ts';

interface UsageLine {
  readonly deployment: string | null;
  readonly attempts?: number;
  readonly runs: number;
  readonly failed: number;
}

export interface Attempts {
  readonly attempts: number;
  readonly failed: number;
}

const dayMs = 86_400_000;

/** A run that did not fail has one attempt that answered, at the deployment that the run names. All other attempts failed. */
const failedOf = ({ attempts = 0, runs, failed }: UsageLine): number => attempts - (runs - failed);

export function useAttempts(enabled: boolean): UseQueryResult<ReadonlyMap<string, Attempts>> {
  return useQuery({
    queryKey: ['/api/usage', 'attempts by deployment'],
    queryFn: async ({ signal }) => {
      const from = new Date(Date.now() - dayMs).toISOString().slice(0, 10);
      const query = queryOf({ from, by: 'deployment', limit: 1_000 });
      const { data } = await call<{ readonly data: readonly UsageLine[] }>('GET', `/api/usage${query}`, { signal });
      const found = new Map<string, Attempts>();
      // A deployment has a line for each currency.
      for (const line of data) {
        if (line.deployment === null) continue;
        const before = found.get(line.deployment) ?? { attempts: 0, failed: 0 };
        found.set(line.deployment, { attempts: before.attempts + (line.attempts ?? 0), failed: before.failed + failedOf(line) });
      }
      return found;
    },
    enabled,
    refetchInterval: 60_000,
  });
}
