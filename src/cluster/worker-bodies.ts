/** The bodies that a worker receives: the primary process counts them for all, and is asked before one is read. */
import type { GatewayError } from '../types/errors.ts';
import type { ArrivingBody, Reserved, WorkerMessage } from './messages.ts';
import { errorOf, unanswered } from './refused-limit.ts';

/** The answer of the primary process. */
export interface AdmittedBody {
  /** The error to throw, or null. */
  readonly refused: GatewayError | null;
  /** For the response of a refused call. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body has arrived or will not arrive. Safe to call twice. */
  leave(): void;
  /** The memory is free; nothing arrives any more. Safe to call twice. */
  free(): void;
}

export interface WorkerBodies {
  /** Never rejects. */
  admit(body: ArrivingBody): Promise<AdmittedBody>;
  /** The answer of the primary process to the body `id`. */
  admitted(id: number, result: Reserved): void;
  /** The primary process has ended: refuses what waits for it, and what would. */
  lost(): void;
}

export function createWorkerBodies(send: (message: WorkerMessage) => void): WorkerBodies {
  const waiting = new Map<number, (result: Reserved) => void>();
  let next = 1;
  let isLost = false;

  const answerOf = (id: number, { demands }: ArrivingBody, { headers, refused }: Reserved): AdmittedBody => {
    if (refused !== null) return { refused: errorOf(refused), headers, leave: () => {}, free: () => {} };
    let isArriving = demands !== null;
    let isHeld = true;
    return {
      refused: null,
      headers,
      leave() {
        if (isArriving && isHeld) send(['body-arrived', id]);
        isArriving = false;
      },
      free() {
        if (isHeld) send(['body-freed', id]);
        isHeld = false;
      },
    };
  };

  const answer = (id: number, result: Reserved): void => {
    waiting.get(id)?.(result);
    waiting.delete(id);
  };

  return {
    admit(body) {
      const id = next++;
      send(['body', id, body]);
      return new Promise((resolve) => {
        waiting.set(id, (result) => resolve(answerOf(id, body, result)));
        if (isLost) answer(id, unanswered);
      });
    },
    admitted: answer,
    lost() {
      isLost = true;
      for (const id of waiting.keys()) answer(id, unanswered);
    },
  };
}
