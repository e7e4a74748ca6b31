/** Normalizes near-miss answers. */
import { describe, expect, it } from 'vitest';
import { normalizeAnswer } from '../../../../src/extensions/skills/extraction/answer-normalizer.ts';
import { readRecordSchema } from '../../../../src/extensions/skills/extraction/record-schema.ts';
import type { Json } from '../../../../src/types/json.ts';

const { typesOf } = readRecordSchema({
  type: 'object',
  properties: {
    name: { type: 'string' },
    total: { type: ['number', 'null'] },
    count: { anyOf: [{ type: 'integer' }, { type: 'null' }] },
    paid: { type: 'boolean' },
    any: {},
    loose: { anyOf: [{ type: 'number' }, {}] },
    lines: { type: 'array', items: { $ref: '#/$defs/line' } },
  },
  $defs: { line: { type: 'object', properties: { price: { type: 'number' } } } },
});
const normalize = (data: Json, quotes: Json = {}) => normalizeAnswer({ records: [{ data, quotes }] }, typesOf);

describe('data', () => {
  it.each<[Json, Json]>([
    [
      { name: '12', any: '12', loose: '12' },
      { name: '12', any: '12', loose: '12' },
    ],
    [{ total: '12' }, { total: 12 }],
    [{ total: ' 1.234,56 \u20ac' }, { total: 1234.56 }],
    [{ total: '-$1,299.50' }, { total: -1299.5 }],
    [{ total: '- 3' }, { total: -3 }],
    [{ total: '\u2212\u20ac 5' }, { total: -5 }],
    [{ total: '( 4 )' }, { total: -4 }],
    [{ total: '(250.00)' }, { total: -250 }],
    [{ count: '3' }, { count: 3 }],
    [{ lines: [{ price: '3.00' }, { price: 'N/A' }] }, { lines: [{ price: 3 }, {}] }],
    [{ paid: 'True' }, { paid: true }],
    [{ name: null, total: null, lines: [{ price: null }] }, { lines: [{}] }],
    [{ total: 'N/A', count: '', paid: 'not specified' }, {}],
    // Both forms of the number are accepted.
    [{ total: '1.234' }, { total: '1.234' }],
    [{ total: '1.2 million' }, { total: '1.2 million' }],
    [{ total: '5 %' }, { total: '5 %' }],
    [{ total: '3 or 4' }, { total: '3 or 4' }],
    [{ count: '12/2026' }, { count: '12/2026' }],
  ])('%j becomes %j', (data, expected) => {
    expect(normalize(data)).toEqual({ records: [{ data: expected, quotes: {} }] });
  });
});

describe('quotes', () => {
  it.each<[Json, Json, Json]>([
    [{ total: null }, {}, {}],
    [{ lines: [{ price: 'a' }, { price: 'b' }] }, { lines: [{}, {}] }, { 'lines[0].price': 'a', 'lines[1].price': 'b' }],
    [{ lines: ['a', 'b'] }, { lines: [{}, {}] }, { 'lines[0]': 'a', 'lines[1]': 'b' }],
    [{ total: ['a', 'b'] }, { total: 1 }, { total: 'a … b' }],
    [{ 'lines[0].price': 'a' }, {}, { 'lines[0].price': 'a' }],
    [{ total: 7 }, {}, { total: 7 }],
  ])('%j of %j are %j', (quotes, data, expected) => {
    expect(normalize(data, quotes)).toEqual({ records: [{ data, quotes: expected }] });
  });
});

it('a list contains records, and a single record is a list of one', () => {
  const record = { data: { name: 'Ann' }, quotes: { name: 'Ann' } };
  for (const answer of [[record], record, { records: [record] }]) expect(normalizeAnswer(answer, typesOf)).toEqual({ records: [record] });
});

it.each<Json>([7, null, [], { records: 7 }, { records: [7] }, { name: 'Ann' }])(
  'what is nothing of the kind stays what it is: %j',
  (answer) => {
    expect(normalizeAnswer(answer, typesOf)).toEqual(Array.isArray(answer) ? { records: [] } : answer);
  },
);
