import { targetOf } from './target.ts';
import { describe, expect, test } from 'vitest';
import { openaiChat } from '../../src/models/vendor-formats/openai/chat.ts';
import { outlineJson } from '../../src/models/json-outline.ts';
import { spliceMembers } from '../../src/models/splice.ts';
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

function requestOf(text: string): ChatRequest {
  const bytes = Buffer.from(text);
  return { body: JSON.parse(bytes.toString('utf8')) as ChatBody, raw: { bytes, outline: outlineJson(bytes, 200) } };
}

describe('splicing', () => {
  test('equals serializing the changed body, over random documents', () => {
    for (let seed = 1; seed <= 1500; seed++) {
      const next = random(seed);
      const body: Record<string, unknown> = { model: makeText(next), messages: makeValue(next, 1) };
      for (let extra = Math.floor(next() * 5); extra > 0; extra--) body[`${makeText(next)}-${extra}`] = makeValue(next, 0);
      if (next() < 0.7) body['stream'] = next() < 0.5 ? true : next() < 0.5 ? false : null;
      if (next() < 0.5) body['stream_options'] = next() < 0.3 ? null : { include_usage: next() < 0.5, other: makeText(next) };
      const request = requestOf(layOut(body, next));
      const target = targetOf({ model: `供应商/${makeText(next)}`, stream: next() < 0.5 });
      const spliced = openaiChat.encodeRequest(request, target);
      const written = openaiChat.encodeRequest({ body: request.body }, target);
      expect(JSON.parse(spliced.toString()), `seed ${seed}`).toEqual(JSON.parse(written.toString()));
    }
  });

  test('keeps every other byte', () => {
    const request = requestOf('{"big":12345678901234567890, "model": "mine" ,"seed":1.0}');
    expect(openaiChat.encodeRequest(request, targetOf({ model: 'theirs', stream: false })).toString()).toBe(
      '{"big":12345678901234567890, "model": "theirs" ,"seed":1.0}',
    );
  });

  test('requests usage when streaming and keeps the other stream options', () => {
    const request = requestOf('{"model":"m","messages":[],"stream":true,"stream_options":{"include_obfuscation":false}}');
    const sent = JSON.parse(openaiChat.encodeRequest(request, targetOf({ model: 'm', stream: true })).toString()) as ChatBody;
    expect(sent.stream_options).toEqual({ include_obfuscation: false, include_usage: true });
    const asked = '{"model":"m","messages":[],"stream":true,"stream_options":{"include_usage":true,"x":1}}';
    expect(openaiChat.encodeRequest(requestOf(asked), targetOf({ model: 'm', stream: true })).toString()).toBe(asked);
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
      spliceMembers(empty, outlineJson(empty, 9), [
        { key: 'a', json: '1' },
        { key: '"', json: '2' },
      ]).toString(),
    ).toBe('{"a":1,"\\"":2 }');
  });
});
