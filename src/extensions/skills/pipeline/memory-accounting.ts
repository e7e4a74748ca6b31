/** Accounts for the memory of a pipeline: results stay in memory until its end. */
import { GatewayError } from '../../../types/errors.ts';
import type { Json } from '../../../types/json.ts';

const mostCharacters = 64_000_000;

/** The approximate length as JSON in characters; stops counting above `most`. A shared value counts at each place. */
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
  /** Throws `step_limit_reached` when the sum exceeds the limit. */
  add(value: Json): void;
}

/** `of`: the owner, as the beginning of a sentence. */
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
