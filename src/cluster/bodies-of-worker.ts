/** The bodies of one worker in the memory and the limits that the primary process counts for all. */
import type { Arrival, Quota } from '../quota/quota.ts';
import { GatewayError } from '../types/errors.ts';
import type { ArrivingBody, PrimaryMessage, WorkerMessage } from './messages.ts';
import { refusalOf } from './refused-limit.ts';

/** The memory for bodies. */
export interface BodyMemory {
  /** `reach` throws a GatewayError without room. */
  enter(person: string): Disposable & { reach(bytes: number): void };
}

export interface BodiesOfWorker {
  /** True for a message about bodies. */
  receive(message: WorkerMessage): boolean;
  /** The worker has died: frees what it held. */
  lost(): void;
}

interface Held {
  readonly arrival: Arrival | null;
  readonly memory: Disposable;
}

export function createBodiesOfWorker(
  quota: Pick<Quota, 'arriving'>,
  memory: BodyMemory,
  send: (message: PrimaryMessage) => void,
): BodiesOfWorker {
  const bodies = new Map<number, Held>();

  const admit = (id: number, { person, bytes, demands }: ArrivingBody): void => {
    const arrival = demands === null ? null : quota.arriving(demands);
    if (arrival !== null && arrival.refuse !== null) {
      send(['body-admitted', id, { headers: arrival.headers, refused: refusalOf(arrival.refuse()) }]);
      return;
    }
    const room = memory.enter(person);
    try {
      room.reach(bytes);
    } catch (thrown) {
      if (!(thrown instanceof GatewayError)) throw thrown;
      arrival?.leave();
      send(['body-admitted', id, { headers: {}, refused: refusalOf(thrown) }]);
      return;
    }
    bodies.set(id, { arrival, memory: room });
    send(['body-admitted', id, { headers: {}, refused: null }]);
  };
  const free = ({ arrival, memory: room }: Held): void => {
    arrival?.leave();
    room[Symbol.dispose]();
  };

  return {
    receive(message) {
      switch (message[0]) {
        case 'body':
          admit(message[1], message[2]);
          return true;
        case 'body-arrived':
          bodies.get(message[1])?.arrival?.leave();
          return true;
        case 'body-freed': {
          const held = bodies.get(message[1]);
          bodies.delete(message[1]);
          if (held !== undefined) free(held);
          return true;
        }
        default:
          return false;
      }
    },
    lost() {
      for (const held of bodies.values()) free(held);
      bodies.clear();
    },
  };
}
