/** Schemas that many may write, against what callers send. */
import { expect, it } from 'vitest';
import { compileSchema } from '../../src/types/schema-check.ts';

it('names the place of the fault', () => {
  const check = compileSchema({
    type: 'object',
    properties: { items: { type: 'array', items: { type: 'object', required: ['price'] } }, code: { pattern: '^\\p{Lu}{2}-\\d+$' } },
    patternProperties: { '^x-': { type: 'string' } },
    additionalProperties: false,
  });
  expect(check.fault({ items: [{}] })).toEqual({ path: 'items[0].price', message: 'is missing' });
  expect(check.fault({ code: 'ÄB-1', 'x-a': 'b' })).toBeNull();
  expect(check.fault({ code: 'ab' })?.path).toBe('code');
  expect(check.fault({ 'x-a': 1 })?.path).toBe('x-a');
  expect(check.fault({ y: 1 })).toEqual({ path: 'y', message: 'is not a field here' });
});

it.each(['^(a+)+$', '^(a|a)*$', '(.*a){20}$', '^(([a-z])+.)+[A-Z]([a-z])+$'])('takes linear time for the pattern %s', (pattern) => {
  const check = compileSchema({ type: 'string', pattern });
  // A backtracking engine would need longer than the universe has been there; the test would time out.
  expect(check.fault(`${'a'.repeat(50_000)}!`)).not.toBeNull();
});

it.each(['(?=a)b', '(a)\\1', '(?<!a)b'])('refuses the pattern %s, which has no bound', (pattern) => {
  expect(() => compileSchema({ type: 'string', pattern })).toThrow();
});
