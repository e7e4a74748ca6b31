/** Conditions of steps: comparisons of referenced values, and their combinations. */
import { z } from 'zod';
import { GatewayError } from '../../../types/errors.ts';
import { isJsonObject, type Json } from '../../../types/json.ts';
import { fill, type Known, referencesIn } from './references.ts';

export type Condition =
  | { readonly value: Json; readonly is: Json }
  | { readonly value: Json; readonly in: readonly Json[] }
  | { readonly value: Json; readonly exists: boolean }
  | { readonly value: Json; readonly above: number }
  | { readonly value: Json; readonly below: number }
  | { readonly not: Condition }
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] };

const value = z.json();
export const condition: z.ZodType<Condition> = z.lazy(() =>
  z.union(
    [
      z.strictObject({ value, is: z.json() }),
      z.strictObject({ value, in: z.array(z.json()).max(200) }),
      z.strictObject({ value, exists: z.boolean() }),
      z.strictObject({ value, above: z.number() }),
      z.strictObject({ value, below: z.number() }),
      z.strictObject({ not: condition }),
      z.strictObject({ all: z.array(condition).min(1).max(20) }),
      z.strictObject({ any: z.array(condition).min(1).max(20) }),
    ],
    'must be a condition such as {"value": "{{steps.sort.label}}", "is": "bug"}; others are in, exists, above, below, not, all and any',
  ),
) as z.ZodType<Condition>;

/** Compares values. The order of object members is ignored. */
function same(one: Json, other: Json): boolean {
  if (Array.isArray(one) && Array.isArray(other))
    return one.length === other.length && one.every((each: Json, index) => same(each, other[index] as Json));
  if (!isJsonObject(one) || !isJsonObject(other)) return one === other;
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && same(one[key] as Json, other[key] as Json))
  );
}
const isThere = (found: Json): boolean => found !== null && found !== '' && !(Array.isArray(found) && found.length === 0);

function kindOf(found: Json): string {
  if (typeof found === 'string') return 'a text';
  if (Array.isArray(found)) return 'a list';
  return typeof found === 'object' ? 'an object' : String(found);
}

/** The number to compare; null for a missing value. Throws `invalid_request` for anything else. */
function numberOf(place: Json, found: Json, word: string): number | null {
  if (found === null || typeof found === 'number') return found;
  const shown = typeof place === 'string' ? place : JSON.stringify(place);
  throw new GatewayError('invalid_request', `when: ${word} compares numbers, but ${shown.slice(0, 200)} is ${kindOf(found)}.`);
}

/** A missing value is neither above nor below a number. Throws `invalid_request` for a value that is not a number. */
export function holds(given: Condition, known: Known): boolean {
  if ('not' in given) return !holds(given.not, known);
  if ('all' in given) return given.all.every((each) => holds(each, known));
  if ('any' in given) return given.any.some((each) => holds(each, known));
  const found = fill(given.value, known);
  if ('is' in given) return same(found, fill(given.is, known));
  if ('in' in given) return given.in.some((each) => same(found, fill(each, known)));
  if ('exists' in given) return isThere(found) === given.exists;
  const number = numberOf(given.value, found, 'above' in given ? 'above' : 'below');
  if (number === null) return false;
  return 'above' in given ? number > given.above : number < given.below;
}

export function conditionReferences(given: Condition): readonly (readonly string[])[] {
  if ('not' in given) return conditionReferences(given.not);
  if ('all' in given) return given.all.flatMap(conditionReferences);
  if ('any' in given) return given.any.flatMap(conditionReferences);
  const other: Json = 'is' in given ? given.is : 'in' in given ? [...given.in] : null;
  return [...referencesIn(given.value), ...referencesIn(other)];
}
