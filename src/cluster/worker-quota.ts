/** The limits of a worker: the primary process counts for all, and is asked for a call to which a limit applies. */
import { type Admission, demandsOf, type Quota, refusedAdmission, type Settled } from '../quota/quota.ts';
import { GatewayError } from '../types/errors.ts';
import type { Demand } from '../quota/limit-requests.ts';
import type { Reserved, WorkerMessage } from './messages.ts';
import { errorOf, unanswered } from './refused-limit.ts';

export interface WorkerQuota extends Pick<Quota, 'take' | 'arrive'> {
  /** The answer of the primary process to the reservation `id`. */
  reserved(id: number, result: Reserved): void;
  /** The primary process has ended: refuses what waits for it, and what would. */
  lost(): void;
}

const settledPart = ({ usage, cost, costFemto, currency, unbudgeted }: Settled): Settled => ({
  usage,
  cost,
  currency,
  ...(costFemto === undefined ? {} : { costFemto }),
  ...(unbudgeted === undefined ? {} : { unbudgeted }),
});

export function createWorkerQuota(send: (message: WorkerMessage) => void): WorkerQuota {
  const waiting = new Map<number, (result: Reserved) => void>();
  let next = 1;
  let isLost = false;

  const reserve = (demands: readonly Demand[], leaseMs: number): Promise<Admission> => {
    const id = next++;
    send(['reserve', id, demands, leaseMs]);
    return new Promise((resolve) => {
      waiting.set(id, ({ headers, refused }) => {
        if (refused !== null) return resolve({ ...refusedAdmission(errorOf(refused)), headers });
        resolve({ headers, refused: null, settle: (run) => send(['settle', id, run === null ? null : settledPart(run)]) });
      });
      if (isLost) answer(id, unanswered);
    });
  };
  const answer = (id: number, result: Reserved): void => {
    waiting.get(id)?.(result);
    waiting.delete(id);
  };

  return {
    take(view, principal, limited, size) {
      const demands = demandsOf(view, principal, limited, size);
      if (demands === null) return null;
      return demands instanceof GatewayError ? refusedAdmission(demands) : reserve(demands, limited.spec.limits.total_ms);
    },
    // Only the primary process knows the counters. Its answer comes with the room of the body.
    arrive: () => null,
    reserved: answer,
    lost() {
      isLost = true;
      for (const id of waiting.keys()) answer(id, unanswered);
    },
  };
}
