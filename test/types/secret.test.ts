import { describe, expect, it } from 'vitest';
import { bearerSecret } from '../../src/types/secret.ts';

describe('a key that is sent as a bearer token', () => {
  it.each([
    'sk-a',
    'Bearer sk-a',
    'bearer  sk-a',
    ' Bearer\tsk-a\n',
    'Bearer: sk-a',
    'Authorization: Bearer sk-a',
    'authorization=bearer sk-a',
    '"sk-a"',
    "'Bearer sk-a'",
    '` sk-a `',
  ])('is the key alone when %j was pasted', (pasted) => {
    expect(bearerSecret().parse(pasted)).toBe('sk-a');
  });

  it.each(['Bearer', 'bearer-of-news', 'sk-"a"', 'a b'])('stays as it is: %j', (key) => {
    expect(bearerSecret().parse(key)).toBe(key);
  });

  it.each(['', '  ', '""', 'sk-\u0000a', 'schlüssel'])('is refused: %j', (key) => {
    expect(bearerSecret().safeParse(key).success).toBe(false);
  });
});
