/** Extracts JSON from a model's text. */
import { expect, it } from 'vitest';
import { extractJson } from '../../src/schema/json-extractor.ts';
import { cpuMilliseconds } from '../cpu-time.ts';

it.each<[string, unknown]>([
  ['{"a":1}', { a: 1 }],
  ['  7 ', 7],
  ['```json\n{"a":1}\n```', { a: 1 }],
  ['```\n[1]\n```', [1]],
  ['Here [as asked]: {"a":1}', { a: 1 }],
  ['{"a":1} (see [1])', { a: 1 }],
  ['Of {x} I think: {"a":"} {"} and so on', { a: '} {' }],
  ['As in [1], it is ["b"]', [1]],
  ['{"a": {"b": [1, 2, "]"]}} done', { a: { b: [1, 2, ']'] } }],
  ['{"a": [1, 2,],\n}', { a: [1, 2] }],
  ['Here: {"a": "x,\n]\ty",} as asked', { a: 'x,\n]\ty' }],
  ['{"a": ",}", }', { a: ',}' }],
  ['{"a": 1,, }', undefined],
  ['nothing', undefined],
  ['{"a": 1', undefined],
  ['', undefined],
])('%j contains %j', (text, value) => {
  expect(extractJson(text)).toEqual(value);
});

it.each([
  ['spaces', `{"a": "x"${'\n'.repeat(400_000)}}`],
  ['commas', `{"a": [${', '.repeat(400_000)}]}`],
  ['brackets', '['.repeat(400_000)],
  ['spaces at the end', `{"a": "x"}${' '.repeat(400_000)}x`],
])('long %s are handled in linear time', (_name, text) => {
  const start = cpuMilliseconds();
  extractJson(text);
  // Quadratic time would be half a minute.
  expect(cpuMilliseconds() - start).toBeLessThan(2_000);
});
