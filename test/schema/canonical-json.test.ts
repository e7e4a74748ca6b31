import { expect, it } from 'vitest';
import { canonicalJson } from '../../src/schema/canonical-json.ts';

it('is the same whatever the order of the members, and another for another order of a list', () => {
  expect(canonicalJson({ b: [1, { d: null, c: 'x' }], a: true })).toBe('{"a":true,"b":[1,{"c":"x","d":null}]}');
  expect(canonicalJson({ 10: 'a', 2: 'b' })).toBe('{"10":"a","2":"b"}');
  expect(canonicalJson([1, 2])).not.toBe(canonicalJson([2, 1]));
});

it('leaves out what is undefined', () => {
  expect(canonicalJson({ a: undefined, b: 1 })).toBe('{"b":1}');
  expect(canonicalJson(undefined)).toBe('null');
});
