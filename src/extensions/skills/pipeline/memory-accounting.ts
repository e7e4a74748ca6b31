/** How much a pipeline holds: results stand in memory until its end, and what is put together of them is written out as one text. */
import { GatewayError } from '../../../types/errors.ts';
import type { Json } from '../../../types/json.ts';

const mostCharacters = 64_000_000;

/** About how many characters it has as JSON; stops counting above `most`. A value that stands in several places counts in each. */
function charactersOf(value: Json, most: number): number {
  let sum = 0;
  const open: Json[] = [value];
  for (let each = open.pop(); each !== undefined && sum <= most; each = open.pop()) {
    if (typeof each === 'string') sum += each.length;
    else if (Array.isArray(each)) for (const inner of each) open.push(inner as Json);
    else if (typeof each === 'object' && each !== null)
      for (const [key, inner] of Object.entries(each)) {
        sum += key.length;
        open.push(inner as Json);
      }
    sum += 2;
  }
  return sum;
}

export interface MemoryAccount {
  /** Throws `step_limit_reached` once all that was added is more than a pipeline may hold. */
  add(value: Json): void;
}

/** `of`: whose, as the beginning of a sentence. */
export function createMemoryAccount(of: string): MemoryAccount {
  let sum = 0;
  return {
    add(value) {
      sum += charactersOf(value, mostCharacters - sum);
      if (sum <= mostCharacters) return;
      throw new GatewayError(
        'step_limit_reached',
        `${of} to more than ${mostCharacters.toLocaleString('en')} characters; let the steps answer less, or leave out what is not needed.`,
      );
    },
  };
}
