/** How many bytes of request bodies are under way together, from the first byte until the request is over: many at once must not fill memory or disk. */
import { GatewayError } from '../../types/errors.ts';

/** What one body has of the budget; given back, once, when it is disposed. */
export interface BodyReservation extends Disposable {
  /** The body is at least so large, as sent or decoded. Throws `rate_limited` where there is no room, `body_too_large` where there never is. */
  reach(bytes: number): void;
}

export interface BodyBudget {
  /** For a body of which nothing is known yet. `person`: those who share one part. */
  enter(person: string): BodyReservation;
  /** Bytes of all bodies under way. */
  readonly held: number;
}

export interface BodyBudgetOptions {
  /** Of one person on one node. One body alone may be larger. */
  readonly mostOfOne: number;
  /** Of all on one node. */
  readonly mostOfAll: number;
}

const retryAfterSeconds = 5;

export function createBodyBudget({ mostOfOne, mostOfAll }: BodyBudgetOptions): BodyBudget {
  /** In bytes, by person. */
  const heldBy = new Map<string, number>();
  let held = 0;

  const grow = (person: string, by: number): void => {
    const own = (heldBy.get(person) ?? 0) + by;
    held += by;
    if (own > 0) heldBy.set(person, own);
    else heldBy.delete(person);
  };

  return {
    get held() {
      return held;
    },
    enter(person) {
      let size = 0;
      return {
        reach(bytes) {
          const by = bytes - size;
          if (by <= 0) return;
          if (bytes > mostOfAll)
            throw new GatewayError(
              'body_too_large',
              `The body is larger than ${mostOfAll} bytes, which is all that this gateway takes at once.`,
            );
          const others = (heldBy.get(person) ?? 0) - size;
          const isOwn = others > 0 && others + bytes > mostOfOne;
          if (isOwn || held + by > mostOfAll)
            throw new GatewayError(
              'rate_limited',
              isOwn
                ? `Your requests that are under way hold ${mostOfOne} bytes together, and no more go in. Send it when one of them is done.`
                : 'The requests that are under way here leave no room for one of this size. Send it again soon.',
              { retryAfterSeconds },
            );
          size = bytes;
          grow(person, by);
        },
        [Symbol.dispose]() {
          grow(person, -size);
          size = 0;
        },
      };
    },
  };
}
