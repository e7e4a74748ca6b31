/** Suggestions for a mistyped name. */
import { expect, it } from 'vitest';
import { didYouMean, nearMatches } from '../../src/text/did-you-mean.ts';

it.each([
  ['a letter too few', 'cty', ['city']],
  ['two letters swapped', 'ctiy', ['city']],
  ['swapped at the end', 'demmo', ['demo']],
  ['large letters', 'CITY', ['city']],
  ['nothing near', 'weather', []],
])('%s', (_what, name, found) => {
  expect(nearMatches(name, ['city', 'demo', 'pipeline'])).toEqual(found);
});

it('names the nearest first, three at most', () => {
  expect(nearMatches('letters', ['lettre', 'letter', 'letters-2', 'latters', 'better'])).toEqual(['latters', 'letter', 'better']);
  expect(didYouMean('letter', ['letters', 'lettre'])).toBe(' Did you mean "letters" or "lettre"?');
  expect(didYouMean('x', ['letters'])).toBe('');
});

it('is fast for any input', () => {
  expect(nearMatches('x'.repeat(100_000), ['x'])).toEqual([]);
});
