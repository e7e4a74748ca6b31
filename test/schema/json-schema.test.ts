/** Schemas from many authors, checked against input of callers. */
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/types/json.ts';
import { compileSchema } from '../../src/schema/json-schema.ts';
import { cpuMilliseconds } from '../cpu-time.ts';

it('names the path of the fault', () => {
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
  // A backtracking engine would never finish, so the test would time out.
  expect(check.fault(`${'a'.repeat(50_000)}!`)).not.toBeNull();
});

it.each(['(?=a)b', '(a)\\1', '(?<!a)b'])('refuses the pattern %s, which has no bound', (pattern) => {
  expect(() => compileSchema({ type: 'string', pattern })).toThrow();
});

/** Bytes of live objects, after garbage collection. */
async function settledHeap(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let round = 0; round < 3; round++) {
    collect();
    await sleep(10);
  }
  return process.memoryUsage().heapUsed;
}

const doubling = (levels: number): JsonObject => ({
  $ref: '#/$defs/a0',
  $defs: {
    ...Object.fromEntries(
      Array.from({ length: levels }, (_, index) => [
        `a${index}`,
        { allOf: [{ $ref: `#/$defs/a${index + 1}` }, { $ref: `#/$defs/a${index + 1}` }] },
      ]),
    ),
    [`a${levels}`]: { type: 'string' },
  },
});

describe('a schema that would take unbounded time', () => {
  it('with references that double at each level is refused within bounded time', () => {
    expect(compileSchema(doubling(3)).fault('a')).toBeNull();
    const check = compileSchema(doubling(60));
    const begin = cpuMilliseconds();
    expect(check.fault('a')).toEqual({ path: '', message: 'takes too long to check against its schema' });
    expect(cpuMilliseconds() - begin).toBeLessThan(3_000);
    // The next check starts with a new time limit.
    expect(check.fault(1)?.message).toBe('must be string');
  });

  it('with unique items over large lists is refused too', () => {
    const check = compileSchema({ type: 'array', uniqueItems: true });
    expect(check.fault([{ a: 1 }, { a: 1 }])?.message).toContain('duplicate');
    const begin = cpuMilliseconds();
    expect(check.fault(Array.from({ length: 40_000 }, (_, index) => ({ a: { b: index } })))?.message).toContain('too long');
    expect(cpuMilliseconds() - begin).toBeLessThan(3_000);
  });

  it.each<[string, JsonObject]>([
    ['two references', { $ref: '#/$defs/a', $defs: { a: { allOf: [{ $ref: '#/$defs/b' }] }, b: { allOf: [{ $ref: '#/$defs/a' }] } } }],
    ['itself', { anyOf: [{ type: 'string' }, { $ref: '#' }] }],
    ['a field', { properties: { x: { $ref: '#/$defs/a~1b' } }, $defs: { 'a/b': { not: { $ref: '#me' }, $anchor: 'me' } } }],
  ])('with a cycle of %s is refused when it is compiled', (_name, schema) => {
    expect(() => compileSchema(schema)).toThrow('form a cycle');
  });

  it('for a value nested deeper than the stack reports a fault', () => {
    const check = compileSchema({ properties: { a: { $ref: '#' } }, type: 'object' });
    let deep: JsonObject = {};
    for (let level = 0; level < 200_000; level++) deep = { a: deep };
    expect(check.fault(deep)?.message).toMatch(/too deep|too long/);
    expect(check.fault({ a: {} })).toBeNull();
  });

  it.each<[string, JsonObject, RegExp]>([
    [
      'properties',
      { properties: Object.fromEntries(Array.from({ length: 4_000 }, (_, index) => [`p${index}`, { type: 'string' }])) },
      /more than 1000 properties/,
    ],
    // On a slow machine the time limit of the compilation applies first.
    ['alternatives', { prefixItems: Array.from({ length: 6_000 }, () => ({ type: 'string' })) }, /too large|too long to compile/],
    ['values', { enum: Array.from({ length: 30_000 }, (_, index) => index) }, /too large: more than 20000 values/],
  ])('with too many %s is refused with a reason', (_name, schema, words) => {
    expect(() => compileSchema(schema)).toThrow(words);
  });

  it('with too deep nesting is refused with a reason', () => {
    let deep: JsonObject = { type: 'string' };
    for (let level = 0; level < 100_000; level++) deep = { items: deep };
    expect(() => compileSchema(deep)).toThrow('nested deeper than 200 levels');
  });
});

describe('schemas of other tools', () => {
  it('a schema that refers to itself as a whole', () => {
    const check = compileSchema({ type: 'object', properties: { child: { $ref: '#' }, name: { type: 'string' } }, required: ['name'] });
    expect(check.fault({ name: 'a', child: { name: 'b' } })).toBeNull();
    expect(check.fault({ name: 'a', child: { child: { name: 'c' } } })?.path).toBe('child.name');
  });

  it.each([
    'https://json-schema.org/draft/2020-12/schema',
    'https://json-schema.org/draft/2019-09/schema',
    'http://json-schema.org/draft-07/schema#',
    'https://json-schema.org/draft-07/schema',
    'http://json-schema.org/draft-06/schema#',
  ])('the draft %s', ($schema) => {
    const check = compileSchema({
      $schema,
      type: 'object',
      properties: { a: { $ref: '#/definitions/a' } },
      definitions: { a: { minimum: 3 } },
    });
    expect(check.fault({ a: 3 })).toBeNull();
    expect(check.fault({ a: 2 })?.path).toBe('a');
    expect(() => compileSchema({ $schema, type: 'nothing' })).toThrow('schema is invalid: type');
  });

  it('lists of the older drafts are checked item by item', () => {
    const items = [{ type: 'string' }, { type: 'number' }];
    const check = compileSchema({ $schema: 'http://json-schema.org/draft-07/schema#', items, additionalItems: false });
    expect(check.fault(['a', 1])).toBeNull();
    expect(check.fault(['a', 'b'])?.path).toBe('[1]');
    expect(check.fault(['a', 1, 2])).not.toBeNull();
  });

  it('an unknown draft is refused by its name', () => {
    expect(() => compileSchema({ $schema: 'http://json-schema.org/draft-04/schema#' })).toThrow(/draft-04.*is not known here; there are/);
    expect(() => compileSchema({ $schema: 'https://example.com/mine' })).toThrow('is not known here');
  });

  it('a field that has to be a schema itself', () => {
    const check = compileSchema({ properties: { schema: { $ref: 'https://json-schema.org/draft/2020-12/schema' } } });
    expect(check.fault({ schema: { type: 'string' } })).toBeNull();
    expect(check.fault({ schema: { type: 7 } })?.path).toBe('schema.type');
  });
});

it('schemas and checked values are garbage collected', async () => {
  const use = (): void => {
    for (let round = 0; round < 300; round++) {
      const schema = {
        $id: 'same',
        anyOf: [{ const: `${round}`.repeat(20_000) }, { $ref: '#/$defs/a' }],
        $defs: { a: { type: 'number' } },
      };
      compileSchema(schema).fault([`${round}`.repeat(50_000)]);
    }
  };
  // The engine's own caches are full after this, and do not grow.
  use();
  const heap = await settledHeap();
  use();
  expect((await settledHeap()) - heap).toBeLessThan(3_000_000);
});

describe('a fault', () => {
  const schema = {
    type: 'object',
    properties: {
      style: { enum: ['soft', 'loud'] },
      list: { type: 'array', minItems: 1 },
      far: { enum: Array.from({ length: 30 }, String) },
    },
    required: ['style'],
    additionalProperties: false,
  };
  it.each([
    [{ stile: 'soft' }, 'style', 'is missing ("stile" is not a field here)'],
    [{}, 'style', 'is missing'],
    [{ style: 'hard' }, 'style', 'must be one of "soft", "loud"'],
    [{ style: 'soft', list: [] }, 'list', 'must not be empty'],
    [{ style: 'soft', far: 'x' }, 'far', 'must be equal to one of the allowed values'],
  ])('of %j names the accepted form', (value, path, message) => {
    expect(compileSchema(schema).fault(value)).toEqual({ path, message });
  });
});
