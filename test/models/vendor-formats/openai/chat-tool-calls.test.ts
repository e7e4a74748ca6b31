import { describe, expect, test } from 'vitest';
import { createChunkEmitter } from '../../../../src/models/client-formats/chat-completions/emitter.ts';
import { type Chunk, options, frame, choice, decode, emit, failure, done } from './samples.ts';

describe('tool calls in a stream', () => {
  const call = (fields: Chunk): Chunk => choice({ tool_calls: [fields] });
  const calls = (chunks: readonly Chunk[], finish = 'tool_calls'): { id: string; name: string; text: string }[] => {
    const events = decode(frame([...chunks, choice({}, finish), done]));
    emit(events);
    expect(events.find((event) => event.type === 'finish')).toMatchObject({ reason: 'tool_calls' });
    const found: { id: string; name: string; text: string }[] = [];
    for (const event of events) {
      if (event.type === 'tool-call-start') found[event.call] = { id: event.id, name: event.name, text: '' };
      else if (event.type === 'tool-call-delta') (found[event.call] as { text: string }).text += event.arguments;
    }
    return found;
  };

  test('with an empty id and the type repeated in each delta (Qwen)', () => {
    expect(
      calls([
        call({ index: 0, id: 'c1', type: 'function', function: { name: 'f', arguments: '' } }),
        call({ index: 0, id: '', type: 'function', function: { arguments: '{"a":' } }),
        choice({ content: '' }),
        call({ index: 0, id: '', type: 'function', function: { name: '', arguments: '1}' } }),
      ]),
    ).toEqual([{ id: 'c1', name: 'f', text: '{"a":1}' }]);
  });

  test('without index, two in one delta (Mistral)', () => {
    const both = choice({
      content: null,
      tool_calls: [
        { id: 'a', function: { name: 'f', arguments: '{}' } },
        { id: 'b', function: { name: 'g', arguments: '{"x":1}' } },
      ],
    });
    expect(calls([both])).toEqual([
      { id: 'a', name: 'f', text: '{}' },
      { id: 'b', name: 'g', text: '{"x":1}' },
    ]);
  });

  test('with indexes from one, or all zero', () => {
    expect(calls([call({ index: 1, id: 'a', function: { name: 'f' } }), call({ index: 1, function: { arguments: '{}' } })])).toHaveLength(
      1,
    );
    expect(
      calls([
        call({ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '{"n":1}' } }),
        call({ index: 0, id: 'b', type: 'function', function: { name: 'f', arguments: '{"n":' } }),
        call({ index: 0, function: { arguments: '2}' } }),
      ]),
    ).toEqual([
      { id: 'a', name: 'f', text: '{"n":1}' },
      { id: 'b', name: 'f', text: '{"n":2}' },
    ]);
  });

  test('without id, with a numeric id, or with one id for two calls', () => {
    const [first, second, third, fourth] = calls([
      call({ index: 0, function: { name: 'f', arguments: '{}' } }),
      call({ index: 1, id: 7, function: { name: 'f', arguments: '{}' } }),
      call({ index: 2, id: 'same', function: { name: 'f', arguments: '{}' } }),
      call({ index: 3, id: 'same', function: { name: 'f', arguments: '{}' } }),
    ]);
    expect(first?.id).toMatch(/^call_[0-9a-f]{32}$/);
    expect(second?.id).toBe('7');
    expect(third?.id).toBe('same');
    expect(fourth?.id).toMatch(/^call_/);
  });

  test('with arguments that are an object, missing, or before the name', () => {
    expect(calls([call({ index: 0, id: 'a', function: { name: 'f', arguments: { city: '北京' } } })])[0]?.text).toBe('{"city":"北京"}');
    const silent = decode(frame([call({ index: 0, id: 'a', type: 'function', function: { name: 'f' } }), choice({}, 'stop'), done]));
    expect(emit(silent)).toContain('"arguments":"{}"');
    expect(
      calls([call({ index: 0, id: 'a', function: { arguments: '{"a"' } }), call({ index: 0, function: { name: 'f', arguments: ':1}' } })]),
    ).toEqual([{ id: 'a', name: 'f', text: '{"a":1}' }]);
  });

  test('that end with "stop" end as tool_calls, cut ones stay "length", and no calls end as "stop"', () => {
    calls([call({ index: 0, id: 'a', function: { name: 'f', arguments: '{}' } })], 'stop');
    const cut = decode(frame([call({ index: 0, id: 'a', function: { name: 'f', arguments: '{"a' } }), choice({}, 'length'), done]));
    expect(emit(cut)).toContain('"finish_reason":"length"');
    expect(emit(decode(frame([choice({ content: 'x' }, 'tool_calls'), done])))).toContain('"finish_reason":"stop"');
  });

  test('without any name are an invalid answer', () => {
    expect(failure(frame([call({ index: 0, id: 'a', function: { arguments: '{}' } }), choice({}, 'stop'), done]))).toMatchObject({
      code: 'upstream_invalid_response',
    });
  });

  test('of the former and the custom type keep their form', () => {
    const legacy = emit(
      decode(
        frame([
          choice({ function_call: { name: 'f', arguments: '' } }),
          choice({ function_call: { arguments: '{}' } }),
          choice({}, 'function_call'),
          done,
        ]),
      ),
    );
    expect(legacy).toContain('"delta":{"function_call":{"name":"f","arguments":""}}');
    expect(legacy).toContain('"finish_reason":"function_call"');
    const events = decode(
      frame([call({ index: 0, id: 'a', type: 'custom', custom: { name: 'sql', input: 'select' } }), choice({}, 'tool_calls'), done]),
    );
    expect(createChunkEmitter({ ...options, includeUsage: false }).write(events)).toContain(
      '"tool_calls":[{"index":0,"custom":{"input":"select"}}]',
    );
  });
});
