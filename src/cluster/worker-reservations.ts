/** The reservations of one worker in the limits, which the primary process counts for all. */
import type { Admission, Quota } from '../quota/quota.ts';
import type { PrimaryMessage, WorkerMessage } from './messages.ts';
import { refusalOf } from './refused-limit.ts';

export interface WorkerReservations {
  /** True for a message about reservations. */
  receive(message: WorkerMessage): boolean;
  /** The worker has died: settles what it had reserved. */
  lost(): void;
}

export function createWorkerReservations(quota: Pick<Quota, 'reserve'>, send: (message: PrimaryMessage) => void): WorkerReservations {
  const held = new Map<number, Admission>();
  let isLost = false;

  const answer = (id: number, admission: Admission): void => {
    const { headers, refused } = admission;
    if (refused === null) {
      // The worker has died while Redis was asked.
      if (isLost) return admission.abandon?.();
      held.set(id, admission);
    }
    send(['reserved', id, { headers, refused: refused === null ? null : refusalOf(refused) }]);
  };

  return {
    receive(message) {
      if (message[0] === 'reserve') {
        const [, id, demands, leaseMs] = message;
        const admission = quota.reserve(demands, leaseMs);
        // `reserve` never rejects.
        if (admission instanceof Promise) admission.then((taken) => answer(id, taken)).catch(() => {});
        else answer(id, admission);
        return true;
      }
      if (message[0] !== 'settle') return false;
      const [, id, used] = message;
      held.get(id)?.settle(used);
      held.delete(id);
      return true;
    },
    lost() {
      isLost = true;
      for (const admission of held.values()) admission.abandon?.();
      held.clear();
    },
  };
}
