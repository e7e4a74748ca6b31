/** The size of a tool result, computed without serializing it. */
import { expect, it } from 'vitest';
import { isLargerThan } from '../../../src/application/tools/invoke-tool.ts';
import type { Json } from '../../../src/types/json.ts';

it.each<[string, Json]>([
  ['empty lists', Array.from({ length: 1_000 }, () => [])],
  ['empty objects', Array.from({ length: 1_000 }, () => ({}))],
  ['a Chinese text', '中'.repeat(1_000)],
  ['long names', { ['x'.repeat(3_000)]: 1 }],
  ['numbers', Array.from({ length: 1_000 }, (_, index) => index)],
])('counts bytes of %s', (_name, value) => {
  const bytes = Buffer.byteLength(JSON.stringify(value));
  expect(isLargerThan(value, Math.floor(bytes / 2))).toBe(true);
  expect(isLargerThan(value, bytes * 2)).toBe(false);
});
