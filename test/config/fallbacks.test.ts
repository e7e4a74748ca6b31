/** The check of fallbacks: missing models and cycles, also in long chains. */
import { expect, it } from 'vitest';
import { fallbackFaults } from '../../src/config/fallbacks.ts';
import type { ModelEntry } from '../../src/types/snapshot.ts';

/** Models by name, with the names of their fallbacks. */
function modelsOf(fallbacks: Readonly<Record<string, readonly string[]>>): ReadonlyMap<string, ModelEntry> {
  return new Map(
    Object.entries(fallbacks).map(([name, others]) => [
      name,
      { name, spec: { fallbacks: others.map((model) => ({ model })) } } as unknown as ModelEntry,
    ]),
  );
}

function messagesOf(fallbacks: Readonly<Record<string, readonly string[]>>, name: string): readonly string[] {
  const models = modelsOf(fallbacks);
  return fallbackFaults(models.get(name) as ModelEntry, models, (each) => models.has(each)).map(({ message }) => message);
}

it.each<[string, Readonly<Record<string, readonly string[]>>, string | null]>([
  ['no fallback', { a: [] }, null],
  ['a way to one model by two others', { a: ['b', 'c'], b: ['d'], c: ['d'], d: [] }, null],
  ['a cycle among other models', { a: ['b'], b: ['c'], c: ['b'] }, null],
  ['itself', { a: ['a'] }, 'a -> a'],
  ['a cycle behind a dead end', { a: ['b', 'c'], b: [], c: ['d'], d: ['a'] }, 'a -> c -> d -> a'],
])('%s', (_what, fallbacks, cycle) => {
  const expected = cycle === null ? [] : [`spec.fallbacks: the fallbacks form a cycle: ${cycle}. Leave one of them out.`];
  expect(messagesOf(fallbacks, 'a')).toEqual(expected);
});

it('a missing model is named with its field', () => {
  expect(messagesOf({ a: ['b', 'x'], b: [] }, 'a')).toEqual([expect.stringMatching(/^spec\.fallbacks\[1\]\.model: .*"x"/)]);
});

it('a chain of 20,000 models is followed to its end', () => {
  const chain = Object.fromEntries(Array.from({ length: 20_000 }, (_none, index) => [`m${index}`, [`m${index + 1}`]]));
  expect(messagesOf({ ...chain, m20000: [] }, 'm0')).toEqual([]);
  expect(messagesOf({ ...chain, m20000: ['m0'] }, 'm0')).toHaveLength(1);
});
