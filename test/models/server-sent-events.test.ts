import { expect, test } from 'vitest';
import { createEventSplitter } from '../../src/models/server-sent-events.ts';

const stream =
  '\ufeffdata: {"a":"你好"}\n\n: a comment\r\ndata:no space\r\n\r\nevent: x\nid: 7\nretry: 3\ndata: one\ndata:  two\ndata\n\ndatax: no\n\n\n\ndata: 👩‍👩‍👧 é\n\ndata: [DONE]\n\n';
const expected = ['{"a":"你好"}', 'no space', 'one\n two\n', '👩‍👩‍👧 é', '[DONE]'];

function split(parts: readonly Buffer[]): string[] {
  const splitter = createEventSplitter();
  return [...parts.flatMap((part) => splitter.push(part)), ...splitter.end()];
}

test('gives the same events wherever the bytes are cut in two', () => {
  const bytes = Buffer.from(stream);
  for (let cut = 0; cut <= bytes.length; cut++)
    expect(split([bytes.subarray(0, cut), bytes.subarray(cut)]), `cut at ${cut}`).toEqual(expected);
});

test.each([1, 2, 3, 5, 7, 64])('gives the same events in pieces of %i bytes', (size) => {
  const bytes = Buffer.from(stream);
  const parts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => bytes.subarray(index * size, (index + 1) * size));
  expect(split(parts)).toEqual(expected);
});

test('a last event without a closing empty line counts', () => {
  expect(split([Buffer.from('data: a\n\ndata: b')])).toEqual(['a', 'b']);
  expect(split([Buffer.from('data: a\n')])).toEqual(['a']);
});

test('refuses a line without an end before it fills the memory', () => {
  const splitter = createEventSplitter();
  const part = Buffer.alloc(1024 * 1024, 'x');
  let taken = 0;
  expect(() => {
    for (; taken < 40; taken++) splitter.push(part);
  }).toThrow(expect.objectContaining({ code: 'upstream_invalid_response' }));
  expect(taken).toBe(32);
});

test('refuses an event of endless data lines', () => {
  const splitter = createEventSplitter(1000);
  expect(() => {
    for (let count = 0; count < 100; count++) splitter.push(Buffer.from('data: 0123456789012345678901234567890\n'));
  }).toThrow(expect.objectContaining({ code: 'upstream_invalid_response' }));
});
