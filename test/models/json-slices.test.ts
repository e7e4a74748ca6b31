/** Parsing in slices equals parsing at once for any slice size, and refuses the same bodies. */
import { expect, it } from 'vitest';
import { outlineJson } from '../../src/models/json-outline.ts';
import { parseJsonInSlices } from '../../src/models/json-slices.ts';

const maxDepth = 12;

function inSlices(bytes: Buffer, slice: number): unknown {
  const steps = parseJsonInSlices(bytes, maxDepth, slice);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

function atOnce(bytes: Buffer): unknown {
  const outline = outlineJson(bytes, maxDepth);
  return { body: JSON.parse(bytes.toString('utf8')) as unknown, outline };
}

function outcome(run: () => unknown): unknown {
  try {
    return run();
  } catch {
    return 'refused';
  }
}

/** A seeded generator. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const words = [
  '',
  'a',
  'key',
  '"',
  '\\',
  '\\\\',
  '你好',
  '😀',
  '\u0000\n\t',
  'x'.repeat(70),
  '\\'.repeat(33),
  '😀'.repeat(20),
  '{[,:]}',
  '__proto__',
  '7',
];

function randomJson(random: () => number, depth: number): string {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const space = (): string => pick(['', '', '', ' ', '\n\t ']);
  const text = (): string => {
    const plain = JSON.stringify(pick(words) + pick(words));
    return random() < 0.3
      ? plain.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.codePointAt(0)?.toString(16).padStart(4, '0').slice(-4)}`)
      : plain;
  };
  // Without escapes: V8 14.6 confuses two keys with escapes (JSON.parse('{"z\\\\":1}'), then JSON.parse('{"z\\"":1}')).
  const key = (): string => JSON.stringify((pick(words) + pick(words)).replace(/["\\]|\p{Cc}/gu, ''));
  const kind = depth > 5 ? 0 : random();
  const many = Math.floor(random() * 6);
  if (kind > 0.7)
    return `[${space()}${Array.from({ length: many }, () => `${space()}${randomJson(random, depth + 1)}${space()}`).join(',')}${space()}]`;
  if (kind > 0.4) {
    const members = Array.from({ length: many }, () => `${space()}${key()}${space()}:${space()}${randomJson(random, depth + 1)}${space()}`);
    return `{${space()}${members.join(',')}}`;
  }
  return pick([text, text, () => String(Math.floor(random() * 1e6)), () => '-1.5e-7', () => 'true', () => 'null'])();
}

it('thousands of valid and invalid bodies give equal results', () => {
  const random = randomFrom(20_261_201);
  let refused = 0;
  for (let round = 0; round < 4_000; round++) {
    let text = `${random() < 0.5 ? '{"a":1,"b":' : '['}${randomJson(random, 0)}`;
    text += text.startsWith('{') ? '}' : ']';
    if (random() < 0.5) {
      const at = Math.floor(random() * text.length);
      const mark = ['', ',', ':', '}', ']', '{', '[', '"', '\\', ' ', '0'][Math.floor(random() * 11)] as string;
      text = text.slice(0, at) + mark + text.slice(at + Math.floor(random() * 2));
    }
    const bytes = Buffer.from(text);
    const expected = outcome(() => atOnce(bytes));
    if (expected === 'refused') refused++;
    for (const slice of [4, 9, 64, 100_000])
      expect(
        outcome(() => inSlices(bytes, slice)),
        `${slice}: ${text}`,
      ).toEqual(expected);
  }
  expect(refused).toBeGreaterThan(500);
  expect(refused).toBeLessThan(3_000);
});

it('a body that is deep, empty, cut, repeated or not an object gives equal results', () => {
  for (const text of [
    '{}',
    '[]',
    ' { } ',
    '[ ]',
    '{}x',
    '[1]]',
    '"text"',
    '7',
    '',
    ' ',
    'nul',
    '\uFEFF{}',
    '[1,]',
    '[,1]',
    '{"a":1,}',
    '{,"a":1}',
    '{"a" 1}',
    '{"a":1 "b":2}',
    '{"a":1,"a":2}',
    '{"__proto__":1}',
    '{"a":{"__proto__":{"x":1},"b":1,"__proto__":2}}',
    '{"a":[1 [2222222222]]}',
    '{"a":[1, ,[2222222222]]}',
    `${'['.repeat(12)}${']'.repeat(12)}`,
    `${'['.repeat(13)}${']'.repeat(13)}`,
    '[}',
    '{]',
    '{"a":"x',
    '{"a"',
    '{:1}',
    '{"a":1:2}',
    '{"a":"bbbbbbbbbbbbbbbbbbbbbbbbbbbb" "c"}',
    '["\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00"]',
    '["\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\u0041"]',
    '["\\x                                    "]',
  ])
    // prettier-ignore
    for (const slice of [4, 7, 1_000]) expect(outcome(() => inSlices(Buffer.from(text), slice)), `${slice}: ${text}`).toEqual(outcome(() => atOnce(Buffer.from(text))));
  const notUtf8 = Buffer.concat([Buffer.from('["'), Buffer.from([0xff, 0xfe]), Buffer.from('"]')]);
  expect(outcome(() => inSlices(notUtf8, 4))).toBe('refused');
});

it('works in steps: no step parses more than a few slices', () => {
  const bodies = [
    JSON.stringify({ a: 'x'.repeat(100_000) }),
    JSON.stringify({ a: '"'.repeat(100_000) }),
    JSON.stringify({ a: Array.from({ length: 50_000 }, (_, index) => index) }),
    `{"a":[${'[[[[1]]]],'.repeat(10_000)}1]}`,
    JSON.stringify({ a: [{ b: [Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`k${index}`, index]))] }] }),
  ];
  for (const text of bodies) {
    const steps = parseJsonInSlices(Buffer.from(text), maxDepth, 1_000);
    let count = 0;
    while (steps.next().done !== true) count++;
    expect(count, text.slice(0, 20)).toBeGreaterThan(text.length / 4_000);
  }
});

it('refuses a small body that would become a thousand times as large', () => {
  const steps = parseJsonInSlices(Buffer.from(`[${'[],'.repeat(600_000)}1]`), maxDepth, 65_536);
  const all = (): void => {
    while (steps.next().done !== true);
  };
  expect(all).toThrow(expect.objectContaining({ code: 'invalid_request', message: expect.stringContaining('500000 objects and arrays') }));
});
