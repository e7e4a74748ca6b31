import { describe, expect, test } from 'vitest';
import { createLineSplitter } from '../../src/models/json-lines.ts';

describe('lines of JSON', () => {
  test('are complete wherever the bytes are cut, without empty ones', () => {
    const bytes = Buffer.from('{"a":"你好👩‍👩‍👧"}\r\n\n {"b":1}\n{"c":2}');
    for (let cut = 0; cut <= bytes.length; cut++) {
      const splitter = createLineSplitter();
      const lines = [...splitter.push(bytes.subarray(0, cut)), ...splitter.push(bytes.subarray(cut)), ...splitter.end()];
      expect(lines).toEqual(['{"a":"你好👩‍👩‍👧"}', '{"b":1}', '{"c":2}']);
    }
    expect(createLineSplitter().end()).toEqual([]);
    expect(createLineSplitter().push(bytes.subarray(0, bytes.lastIndexOf('\n') + 1))).toHaveLength(2);
  });

  test('may not be longer than the limit, ended or not', () => {
    const tooLong = expect.objectContaining({ code: 'upstream_invalid_response' }) as Error;
    const splitter = createLineSplitter(10);
    expect(splitter.push(Buffer.from('12345678'))).toEqual([]);
    expect(() => splitter.push(Buffer.from('12345678'))).toThrow(tooLong);
    expect(() => createLineSplitter(10).push(Buffer.from('12345678901\n'))).toThrow(tooLong);
  });
});
