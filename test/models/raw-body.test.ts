import { targetOf } from './target.ts';
import { describe, expect, test } from 'vitest';
import { openaiChat } from '../../src/models/vendor-formats/openai/chat.ts';
import { outlineJson } from '../../src/models/json-outline.ts';
import { RawBody } from '../../src/models/raw-body.ts';
import type { ChatBody, ChatRequest } from '../../src/types/chat.ts';

/** A seeded generator, so that a failure can be reproduced. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const pieces = [
  '"',
  '\\',
  '\n',
  '\u0000',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '模型',
  '👋🏽',
  '\ud800',
  'model',
  'stream',
  ' ',
  '\\"',
  '\u2028',
  'é',
];

function makeText(next: () => number): string {
  return Array.from({ length: Math.floor(next() * 8) }, () => pieces[Math.floor(next() * pieces.length)]).join('');
}

function makeValue(next: () => number, depth: number): unknown {
  const kind = Math.floor(next() * (depth > 3 ? 5 : 7));
  if (kind === 0) return makeText(next);
  if (kind === 1) return Math.round(next() * 1e6) / 8;
  if (kind === 2) return null;
  if (kind === 3) return next() < 0.5;
  if (kind === 4) return -Math.floor(next() * 100);
  if (kind === 5) return Array.from({ length: Math.floor(next() * 4) }, () => makeValue(next, depth + 1));
  return Object.fromEntries(
    Array.from({ length: Math.floor(next() * 4) }, () => [`${makeText(next)}${next() < 0.3 ? 'model' : ''}`, makeValue(next, depth + 1)]),
  );
}

/** The text of an object in a random layout and order, with some characters written as escapes. */
function layOut(body: Record<string, unknown>, next: () => number): string {
  const space = (): string => ['', '', ' ', '\n', '\t\r\n'][Math.floor(next() * 5)] ?? '';
  const keys = Object.keys(body).sort(() => next() - 0.5);
  const written = keys.map((key) => {
    const value = next() < 0.5 ? JSON.stringify(body[key]) : JSON.stringify(body[key], null, 2);
    const escaped =
      next() < 0.3 ? value.replace(/[\u0080-\uffff]/g, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`) : value;
    return `${space()}${JSON.stringify(key)}${space()}:${space()}${escaped}${space()}`;
  });
  return `${space()}{${written.join(',') || space()}}${space()}`;
}

/** `room`: the free bytes before the body, as `readBody` leaves them for large bodies. */
function requestOf(text: string, room = 0): ChatRequest {
  const written = Buffer.from(text);
  const memory = Buffer.alloc(room + written.length, '#');
  written.copy(memory, room);
  const bytes = memory.subarray(room);
  return { body: JSON.parse(text) as ChatBody, raw: new RawBody(bytes, outlineJson(bytes, 200), room) };
}

describe('splicing', () => {
  test('equals serializing the changed body, over random documents', () => {
    for (let seed = 1; seed <= 1500; seed++) {
      const next = random(seed);
      const body: Record<string, unknown> = { model: makeText(next), messages: makeValue(next, 1) };
      for (let extra = Math.floor(next() * 5); extra > 0; extra--) body[`${makeText(next)}-${extra}`] = makeValue(next, 0);
      if (next() < 0.7) body['stream'] = next() < 0.5 ? true : next() < 0.5 ? false : null;
      if (next() < 0.5) body['stream_options'] = next() < 0.3 ? null : { include_usage: next() < 0.5, other: makeText(next) };
      const text = Buffer.from(layOut(body, next)).toString();
      // None, not enough, and enough for a change in place. Each attempt may be another deployment's.
      for (const room of [0, 20, 1_000]) {
        const request = requestOf(text, room);
        for (let attempt = 1; attempt <= 3; attempt++) {
          const target = targetOf({ model: `供应商/${makeText(next)}`, stream: next() < 0.5 });
          const spliced = openaiChat.encodeRequest(request, target);
          const written = openaiChat.encodeRequest({ body: request.body }, target);
          expect(JSON.parse(spliced.toString()), `seed ${seed}, room ${room}, attempt ${attempt}`).toEqual(JSON.parse(written.toString()));
        }
      }
    }
  });

  test('keeps every other byte', () => {
    const request = requestOf('{"big":12345678901234567890, "model": "mine" ,"seed":1.0}');
    expect(openaiChat.encodeRequest(request, targetOf({ model: 'theirs', stream: false })).toString()).toMatch(
      /^{"model":"theirs","big":12345678901234567890, *"seed":1\.0}$/,
    );
  });

  test('keeps every other byte of a body that was changed in place, in the attempts after the first too', () => {
    const request = requestOf('{"stream": false, "big":12345678901234567890,"model":"mine"}', 100);
    const sent = (model: string, stream: boolean): string => openaiChat.encodeRequest(request, targetOf({ model, stream })).toString();
    expect(sent('theirs', true)).toContain('"big":12345678901234567890');
    expect(sent('others', false)).toMatch(/^{"model":"others","stream":false, *"big":12345678901234567890 *}$/);
    expect(sent('others', true)).toContain('"include_usage":true');
  });

  test('changes a large body in place, and never the memory of an earlier attempt', () => {
    const request = requestOf('{"model":"mine","messages":[]}', 100);
    const first = openaiChat.encodeRequest(request, targetOf({ model: 'first', stream: false })) as Buffer;
    const asSent = first.toString();
    const second = openaiChat.encodeRequest(request, targetOf({ model: 'the-second', stream: true })) as Buffer;
    expect(first.toString()).toBe(asSent);
    expect(second.buffer).not.toBe(first.buffer);
    // The free memory before the body is not sent.
    expect(asSent).not.toContain('#');
  });

  test('requests usage when streaming and keeps the other stream options', () => {
    const request = requestOf('{"model":"m","messages":[],"stream":true,"stream_options":{"include_obfuscation":false}}');
    const sent = JSON.parse(openaiChat.encodeRequest(request, targetOf({ model: 'm', stream: true })).toString()) as ChatBody;
    expect(sent.stream_options).toEqual({ include_obfuscation: false, include_usage: true });
    const asked = '{"model":"m","messages":[],"stream":true,"stream_options":{"include_usage":true,"x":1}}';
    expect(JSON.parse(openaiChat.encodeRequest(requestOf(asked), targetOf({ model: 'm', stream: true })).toString())).toEqual(
      JSON.parse(asked),
    );
  });

  test('an adjustment of the dialect overrides', () => {
    const request = requestOf('{"model":"m","messages":[],"n":2}');
    const adjust = ({ n: _n, ...rest }: Record<string, unknown>) => rest as ChatBody;
    expect(openaiChat.encodeRequest(request, targetOf({ model: 'v', stream: false, adjust })).toString()).toBe(
      '{"model":"v","messages":[]}',
    );
  });

  test('puts new members in at the front, into an empty object too', () => {
    const empty = Buffer.from('{ }');
    expect(
      new RawBody(empty, outlineJson(empty, 9))
        .splice([
          { key: 'a', json: '1' },
          { key: '"', json: '2' },
        ])
        .toString(),
    ).toBe('{"a":1,"\\"":2 }');
  });
});
