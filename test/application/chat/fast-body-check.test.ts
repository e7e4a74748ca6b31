/** The fast check of a chat request agrees with the schema, for every request. */
import { describe, expect, it } from 'vitest';
import { chatBodySchema } from '../../../src/application/chat/chat-body.ts';
import { passesFastCheck } from '../../../src/application/chat/fast-body-check.ts';
import type { Json, JsonObject } from '../../../src/types/json.ts';

const good: JsonObject = { model: 'm', messages: [{ role: 'user', content: 'hello' }] };
const values: readonly Json[] = [
  null, true, false, 0, 1, -1, 1.5, 128, 129, 2 ** 53, Number.MAX_VALUE, Infinity, '', 'x', 'm'.repeat(256), 'm'.repeat(257), [], {},
  [null], [[]], [{}], ['x'], [{ role: 'user' }], [{ role: '' }], [{ role: 7 }], [{ role: 'user' }, {}], [{ type: 'function' }], [{ type: '' }],
  [{ type: 'function' }, 'x'], { include_usage: true }, { include_usage: null }, { include_usage: 1 }, { other: 1 },
]; // prettier-ignore
const fields = [
  'model',
  'messages',
  'stream',
  'stream_options',
  'tools',
  'n',
  'max_tokens',
  'max_completion_tokens',
  'temperature',
  'user',
];

const bodies: JsonObject[] = [good, {}, { model: 'm' }, { messages: good['messages'] ?? null }];
for (const field of fields) for (const value of values) bodies.push({ ...good, [field]: value });
// Pairs of fields, because a fault in one must not hide a fault in the other.
for (let at = 0; at < 5_000; at++) {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)] as T;
  bodies.push({ ...good, [pick(fields)]: pick(values), [pick(fields)]: pick(values) });
}

describe('the quick check of a chat request', () => {
  it('accepts what the schema accepts, and nothing else', () => {
    const differing = bodies.filter((body) => passesFastCheck(body) !== chatBodySchema.safeParse(body).success);
    expect(differing).toEqual([]);
    expect(bodies.filter(passesFastCheck).length).toBeGreaterThan(100);
  });

  it('leaves Pailou’s own options to the schema, even valid ones', () => {
    expect(passesFastCheck({ ...good, gateway: { max_steps: 3 } })).toBe(false);
  });

  it('knows every field that the schema knows', () => {
    expect(Object.keys(chatBodySchema.shape).filter((field) => !fields.includes(field))).toEqual(['gateway']);
  });
});
