/** Zod errors as messages for callers. */
import { expect, it } from 'vitest';
import { z } from 'zod';
import { zodSentence } from '../../src/schema/zod-errors.ts';

it.each<[z.ZodType, unknown, string]>([
  [z.string(), 1, 'must be a text, not a number'],
  [z.number(), 'x', 'must be a number, not a text'],
  [z.int(), 1.5, 'must be a whole number'],
  [z.array(z.string()), 'x', 'must be a list, not a text'],
  [z.strictObject({}), [], 'must be an object {…}, not a list'],
  [z.record(z.string(), z.string()), true, 'must be an object {…}, not true or false'],
  [z.boolean(), null, 'must be true or false, not null'],
  [z.array(z.string()).min(1), [], 'must not be empty'],
  [z.string().min(1), '', 'must not be empty'],
  [z.array(z.string()).min(3), [], 'must have at least 3 items'],
  [z.array(z.string()).max(1), ['a', 'b'], 'must have at most 1 item'],
  [z.string().max(2), 'abc', 'must have at most 2 characters'],
  [z.int().max(4), 9, 'must be at most 4'],
  [z.number().positive(), 0, 'must be more than 0'],
  [z.enum(['a', 'b']), 'c', 'must be one of "a", "b"'],
  [z.literal('a'), 'c', 'must be "a"'],
  [z.iso.datetime({ offset: true }), 'tomorrow', 'must be a time with its zone, such as 2027-01-31T18:00:00Z'],
  [z.string('must be what it is'), 1, 'must be what it is'],
  [z.union([z.boolean(), z.literal('always')]), 'sometimes', 'must be true or false, or "always"'],
  [z.union([z.string(), z.array(z.string()).max(10)]), 5, 'must be a text, or a list'],
  [z.union([z.cidrv4(), z.cidrv6()]), 'x', 'does not fit'],
  [z.union([z.string(), z.number()], { error: 'must be what it is' }), null, 'must be what it is'],
])('%#: %j has a plain message', (schema, value, words) => {
  const { error } = z.strictObject({ field: schema }).safeParse({ field: value });
  expect(zodSentence(error as z.ZodError).sentence).toBe(`field: ${words}.`);
});

it('an absent field is reported as missing, whatever its type', () => {
  const { error } = z.strictObject({ field: z.string() }).safeParse({});
  expect(zodSentence(error as z.ZodError).sentence).toBe('field: is missing.');
});
