/** How much all forms hold together, from their first byte until what they brought is worked through: many at once must not fill the memory. */
import { personKey } from '../../types/access.ts';
import type { ToolLoopOwner } from '../../types/tool-loop-state.ts';
import { GatewayError } from '../../types/errors.ts';

/** The room of one form, as large as the form; given back when it is disposed. */
export interface UploadReservation extends Disposable {
  /** The form is at least so large. Throws `rate_limited` where there is no room for it. */
  reach(bytes: number): void;
}

export interface UploadMemoryBudget {
  /** For a form of which nothing is known yet. */
  enter(owner: ToolLoopOwner): UploadReservation;
}

export interface UploadMemoryBudgetOptions {
  /** Of one person on one node. */
  readonly mostOfOne?: number;
  /** Of all on one node. */
  readonly mostOfAll?: number;
}

const megabyte = 1024 * 1024;
const retryAfterSeconds = 5;

/** A form takes several times its size while it becomes base64 and then a prompt. */
export function createUploadMemoryBudget({
  mostOfOne = 128 * megabyte,
  mostOfAll = 256 * megabyte,
}: UploadMemoryBudgetOptions = {}): UploadMemoryBudget {
  /** In bytes, by person. */
  const held = new Map<string, number>();
  let all = 0;

  const grow = (person: string, by: number): void => {
    const own = (held.get(person) ?? 0) + by;
    all += by;
    if (own > 0) held.set(person, own);
    else held.delete(person);
  };

  return {
    enter(owner) {
      const person = personKey(owner);
      let size = 0;
      return {
        reach(bytes) {
          const by = bytes - size;
          if (by <= 0) return;
          const isOwn = (held.get(person) ?? 0) + by > mostOfOne;
          if (isOwn || all + by > mostOfAll)
            throw new GatewayError(
              'rate_limited',
              isOwn
                ? `Your forms that are under way hold ${mostOfOne} bytes together, and no more go in. Send it when one of them is done.`
                : 'The forms that are under way here leave no room for one of this size. Send it again soon.',
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
