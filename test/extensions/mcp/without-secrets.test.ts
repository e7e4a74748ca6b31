/** Answers of MCP servers that repeat their configuration: secrets are hidden, plain settings remain in successful answers. */
import { expect, it } from 'vitest';
import { withoutSecrets } from '../../../src/extensions/mcp/transports/session/connection-errors.ts';

const answer = (said: string) => ({ content: [{ type: 'text', text: `It is <${said}>.` }], structuredContent: { deep: [{ said }], n: 1 } });
const hidden = answer('[hidden]');

it.each([
  'sk-4f9a8b7c6d5e4f3a2b1c',
  'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl',
  'Zm9v/YmFyYmF6+cXV1eA==',
  'postgres://app:hunter2@db.internal/app',
  'a"quote-and\\more-9d8c7b6a5',
  'qwmrtzplkvbnxcdfghjs',
  '4f9a8b7c6d5e4f3a.2b1c9d8e',
  '/kPq83bhdGsX0wZ2nMvLr9TtYcUeAo1iJfKxQdRs',
  'https://hooks.example.com/services/T0AB12/q7Wm3RzxK9vLp2NcTb8Yd4Fs',
  'https://api.example.com/v2?key=4f9a8b7c6d5e4f3a2b1c',
])('is hidden in successful answers and in failures', (secret) => {
  for (const isGood of [true, false]) expect(withoutSecrets(answer(secret), [secret], isGood)).toEqual(hidden);
});

it.each([
  'us-east-1',
  'production',
  'github.com',
  'api.internal.example.com:8443',
  '/srv/projects/of-the-team',
  'C:\\\\data\\\\files',
  '123456789012',
  'https://api.example.com/v2',
  'https://a1b2c3d4e5f6a7b8c9d0.functions.example.com/of/2024/team-reports',
  'application/json',
  'jane.doe+bot@mail.example.com',
])('remains in a successful answer, and is hidden in a failure', (setting) => {
  expect(withoutSecrets(answer(setting), [setting], true)).toEqual(answer(setting));
  expect(withoutSecrets(answer(setting), [setting], false)).toEqual(hidden);
});

it('a scheme before a secret does not prevent its detection', () => {
  expect(withoutSecrets(answer('4f9a8b7c6d5e4f3a2b1c'), ['Bearer 4f9a8b7c6d5e4f3a2b1c'], true)).toEqual(hidden);
});

it.each(['host=db.internal password=4f9a8b7c6d5e4f3a2b1c dbname=app', 'session=4f9a8b7c6d5e4f3a2b1c; theme=dark'])(
  'of several words, as in %s, the secret one is hidden',
  (given) => {
    for (const isGood of [true, false]) expect(withoutSecrets(answer('4f9a8b7c6d5e4f3a2b1c'), [given], isGood)).toEqual(hidden);
    expect(withoutSecrets(answer('db.internal'), [given], true)).toEqual(answer('db.internal'));
  },
);

it('numbers, booleans and null stay unchanged, and an answer without secrets is the same object', () => {
  const given = { a: 1, b: true, c: null, d: ['x'] };
  expect(withoutSecrets(given, [], true)).toBe(given);
  expect(withoutSecrets(given, ['sk-4f9a8b7c6d5e4f3a2b1c'], true)).toEqual(given);
});
