import { expect, it } from 'vitest';
import { canonicalJson } from '../../src/schema/canonical-json.ts';

it('does not depend on the order of members, but on the order of a list', () => {
  expect(canonicalJson({ b: [1, { d: null, c: 'x' }], a: true })).toBe('{"a":true,"b":[1,{"c":"x","d":null}]}');
  expect(canonicalJson({ 10: 'a', 2: 'b' })).toBe('{"10":"a","2":"b"}');
  expect(canonicalJson([1, 2])).not.toBe(canonicalJson([2, 1]));
});

it('omits undefined members', () => {
  expect(canonicalJson({ a: undefined, b: 1 })).toBe('{"b":1}');
  expect(canonicalJson(undefined)).toBe('null');
});
