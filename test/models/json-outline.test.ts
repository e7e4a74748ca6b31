import { isAscii } from 'node:buffer';
import { expect, test } from 'vitest';
import { outlineJson } from '../../src/models/json-outline.ts';
import type { JsonOutline } from '../../src/types/chat.ts';
import { GatewayError } from '../../src/types/errors.ts';

const maxDepth = 200;

/** The outline by the bytes, or the error. Where all bytes are ASCII, that by the text must be the same. */
function bothWays(bytes: Buffer): JsonOutline | GatewayError {
  const attempt = (ascii: string | null): JsonOutline | GatewayError => {
    try {
      return outlineJson(bytes, maxDepth, ascii);
    } catch (error) {
      if (error instanceof GatewayError) return error;
      throw error;
    }
  };
  const found = attempt(null);
  expect(isAscii(bytes) ? attempt(bytes.toString('latin1')) : found).toEqual(found);
  return found;
}

function outline(text: string): Record<string, string> {
  const bytes = Buffer.from(text);
  const found = bothWays(bytes);
  if (found instanceof GatewayError) throw found;
  return Object.fromEntries([...found.members].map(([key, member]) => [key, bytes.toString('utf8', member.valueStart, member.valueEnd)]));
}

function refusal(text: string | Buffer): GatewayError {
  const found = bothWays(Buffer.from(text as string));
  if (found instanceof GatewayError) return found;
  throw new Error('was accepted');
}

test('finds every top-level member and no nested one', () => {
  expect(outline(' {"model" : "a" ,\n"messages":[{"model":"b","x":"}]"}], "n":1.5e3,"s":null,"t":true}\n')).toEqual({
    model: '"a"',
    messages: '[{"model":"b","x":"}]"}]',
    n: '1.5e3',
    s: 'null',
    t: 'true',
  });
});

test('is not misled by quotes, backslashes and brackets inside strings', () => {
  expect(outline(String.raw`{"a":"\"},{\\","b":"\\\\\"","c":"模型\u0022"}`)).toEqual({
    a: String.raw`"\"},{\\"`,
    b: String.raw`"\\\\\""`,
    c: String.raw`"模型\u0022"`,
  });
});

test('decodes escaped keys', () => {
  expect(outline(String.raw`{"\u006dodel":1}`)).toEqual({ model: '1' });
});

test('has no members for an empty object or another kind of value', () => {
  expect(outline('{}')).toEqual({});
  expect(outline('[1,{"a":2}]')).toEqual({});
  expect(outline('"text"')).toEqual({});
});

test('refuses a duplicate key, in any spelling', () => {
  expect(refusal('{"model":"a","model":"b"}')).toMatchObject({ code: 'invalid_request', param: 'model' });
  expect(refusal(String.raw`{"model":"a","\u006dodel":"b"}`)).toMatchObject({ code: 'invalid_request', param: 'model' });
});

test('refuses __proto__ at the top', () => {
  expect(refusal('{"__proto__":{"a":1}}')).toMatchObject({ code: 'invalid_request', param: '__proto__' });
  expect(refusal(String.raw`{"\u005f_proto__":{"a":1}}`).param).toBe('__proto__');
});

test('refuses nesting beyond the limit, in objects and arrays, and accepts nesting up to it', () => {
  expect(refusal(`{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`).message).toContain('200 levels');
  expect(refusal('[{"a":'.repeat(5_000)).message).toContain('200 levels');
  expect(outline(`{"a":${'['.repeat(199)}${']'.repeat(199)}}`)['a']).toHaveLength(398);
  expect(refusal(`{"a":${'['.repeat(200)}${']'.repeat(200)}}`).code).toBe('invalid_request');
});

test.each(['{', '{"a"', '{"a":', '{"a":1', '{"a":1,}', '{a:1}', '{"a" 1}', '{"a":"x', '{"a":[1,2', '{"a":"\\"}', '{"a":}', '{"\\x":1}'])(
  'calls %s invalid JSON',
  (text) => {
    expect(refusal(text).code).toBe('invalid_json');
  },
);

test('refuses bytes that are not UTF-8', () => {
  expect(refusal(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])).code).toBe('invalid_json');
});

test('agrees with JSON.parse on what it cuts out', () => {
  const body = {
    model: 'm',
    messages: [{ role: 'user', content: 'say "\\" \u{1f600} 你好\n' }],
    nested: { a: [{ b: [] }, {}] },
    empty: '',
    zero: -0.5,
  };
  for (const text of [JSON.stringify(body), JSON.stringify(body, null, 2), JSON.stringify(body, null, '\t')]) {
    expect(Object.fromEntries(Object.entries(outline(text)).map(([key, value]) => [key, JSON.parse(value) as unknown]))).toEqual(body);
  }
});

test('finds the same by bytes and by text in long strings of quotes, backslashes and brackets', () => {
  const alphabet = ['"', '\\', '\\', '{', '}', '[', ']', ',', ':', 'x', ' ', 'words without any quote in them, longer than one look '];
  // The same sequence on every machine (Numerical Recipes).
  let seed = 7;
  const next = (most: number): number => (seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0) % most;
  for (let round = 0; round < 1_500; round++) {
    const piece = (): string => Array.from({ length: next(60) }, () => alphabet[next(alphabet.length)] as string).join('');
    const body = { model: piece(), messages: [{ role: piece(), content: piece() }], [`${piece()}k`]: piece() };
    const text = JSON.stringify(body);
    expect(Object.fromEntries(Object.entries(outline(text)).map(([key, value]) => [key, JSON.parse(value) as unknown]))).toEqual(body);
    // Cut or damaged, it is refused at the same byte.
    const at = 1 + next(text.length - 1);
    bothWays(Buffer.from(text.slice(0, at)));
    bothWays(Buffer.from(`${text.slice(0, at)}${piece()}${text.slice(at)}`));
  }
});
