/** A memory budget for request bodies, per person and per node. A reservation lasts until the request is over. */
import { GatewayError } from '../../types/errors.ts';

/** The reservation of one body. Disposing it returns the bytes once. */
export interface BodyReservation extends Disposable {
  /** Extends the reservation to `bytes`, as sent or decoded. Throws `rate_limited` without room now, `body_too_large` when there can never be room. */
  reach(bytes: number): void;
}

export interface BodyBudget {
  /** Opens an empty reservation. `person`: callers with the same key share one part. */
  enter(person: string): BodyReservation;
  /** The reserved bytes of all bodies. */
  readonly held: number;
}

export interface BodyBudgetOptions {
  /** The limit per person on one node, in bytes. A single body may be larger. */
  readonly mostOfOne: number;
  /** The limit of one node, in bytes. */
  readonly mostOfAll: number;
}

const retryAfterSeconds = 5;

export function createBodyBudget({ mostOfOne, mostOfAll }: BodyBudgetOptions): BodyBudget {
  /** Reserved bytes by person. */
  const heldBy = new Map<string, number>();
  let held = 0;

  const grow = (person: string, by: number): void => {
    const own = (heldBy.get(person) ?? 0) + by;
    held += by;
    if (own > 0) heldBy.set(person, own);
    else heldBy.delete(person);
  };

  class Reservation implements BodyReservation {
    readonly #person: string;
    #size = 0;

    constructor(person: string) {
      this.#person = person;
    }

    reach(bytes: number): void {
      const by = bytes - this.#size;
      if (by <= 0) return;
      if (bytes > mostOfAll)
        throw new GatewayError(
          'body_too_large',
          `The body is larger than ${mostOfAll} bytes, the limit of this gateway for all active bodies together.`,
        );
      const others = (heldBy.get(this.#person) ?? 0) - this.#size;
      const isOwn = others > 0 && others + bytes > mostOfOne;
      if (isOwn || held + by > mostOfAll)
        throw new GatewayError(
          'rate_limited',
          isOwn
            ? `The bodies of your active requests may have ${mostOfOne} bytes together, and this one exceeds that. Send it again when one of them has finished.`
            : 'The bodies of all active requests leave no room for one of this size. Send it again soon.',
          { retryAfterSeconds },
        );
      this.#size = bytes;
      grow(this.#person, by);
    }

    [Symbol.dispose](): void {
      if (this.#size > 0) grow(this.#person, -this.#size);
      this.#size = 0;
    }
  }

  return {
    get held() {
      return held;
    },
    enter: (person) => new Reservation(person),
  };
}
