import { describe, expect, test } from 'vitest';
import { geminiChat } from '../../../../src/models/vendor-formats/gemini/chat.ts';
import { PartialArguments } from '../../../../src/models/vendor-formats/gemini/partial-arguments.ts';
import { callsOf, decode, decodeEveryCut, emit, finishOf, thrownBy } from '../decode-and-emit.ts';

type Argument = Record<string, unknown>;

function part(functionCall: object, rest: object = {}): string {
  return `data: ${JSON.stringify({ candidates: [{ content: { role: 'model', parts: [{ functionCall }] }, ...rest }] })}\n\n`;
}

function streamOf(name: string, groups: readonly (readonly Argument[])[]): string {
  return (
    part({ name, willContinue: true }) +
    groups.map((partialArgs) => part({ partialArgs, willContinue: true })).join('') +
    part({}, { finishReason: 'STOP' })
  );
}

function written(parts: readonly Argument[]): unknown {
  const writer = new PartialArguments();
  return JSON.parse(writer.write(parts as never) + writer.end());
}

describe('arguments that Vertex streams', () => {
  test('become one JSON object, with a text in several parts joined', () => {
    const events = decodeEveryCut(
      geminiChat,
      streamOf('weather', [
        [{ jsonPath: '$.location', stringValue: '旧金', willContinue: true }],
        [{ jsonPath: '$.location', stringValue: '山 "SF"\n', willContinue: true }],
        [{ jsonPath: '$.location', stringValue: '' }],
        [
          { jsonPath: '$.days', numberValue: 3 },
          { jsonPath: '$.metric', boolValue: true },
          { jsonPath: '$.note', nullValue: 'NULL_VALUE' },
        ],
      ]),
    );
    expect(JSON.parse(callsOf(events)[0]?.arguments ?? '')).toEqual({ location: '旧金山 "SF"\n', days: 3, metric: true, note: null });
    expect(events.filter((event) => event.type === 'tool-call-delta').length).toBeGreaterThan(4);
    expect(finishOf(events)).toBe('tool_calls');
    emit(events);
  });

  test('nest as their paths say', () => {
    expect(
      written([
        { jsonPath: '$.recipe.ingredients[0].amount', stringValue: '16 oz', willContinue: true },
        { jsonPath: '$.recipe.ingredients[0].amount', stringValue: '' },
        { jsonPath: '$.recipe.ingredients[0].name', stringValue: 'noodles' },
        { jsonPath: '$.recipe.ingredients[1].name', stringValue: 'beef' },
        { jsonPath: '$.recipe.steps[0]', stringValue: 'boil' },
        { jsonPath: '$.recipe.steps[2]', stringValue: 'eat' },
        { jsonPath: '$.grid[0][0]', numberValue: 1 },
        { jsonPath: '$.grid[0][1]', numberValue: 2 },
        { jsonPath: '$.grid[1][0]', numberValue: 3 },
        { jsonPath: "$['a key'][\"it's.one\"]", boolValue: false },
      ]),
    ).toEqual({
      recipe: { ingredients: [{ amount: '16 oz', name: 'noodles' }, { name: 'beef' }], steps: ['boil', null, 'eat'] },
      grid: [[1, 2], [3]],
      'a key': { "it's.one": false },
    });
  });

  test('may be empty, may end within a text, may split a character', () => {
    expect(written([])).toEqual({});
    expect(written([{ jsonPath: '$.a', stringValue: 'x', willContinue: true }])).toEqual({ a: 'x' });
    const pieces = ['\ud83d', '\ude0a'];
    expect(written(pieces.map((stringValue) => ({ jsonPath: '$.a', stringValue, willContinue: true })))).toEqual({ a: '😊' });
  });

  test('of two consecutive calls are separate', () => {
    const text =
      part({ name: 'a', willContinue: true }) +
      part({ partialArgs: [{ jsonPath: '$.x', numberValue: 1 }], willContinue: true }) +
      part({ name: 'b', partialArgs: [{ jsonPath: '$.y', numberValue: 2 }] }) +
      part({ name: 'c', args: { z: 3 } }, { finishReason: 'STOP' });
    const events = decode(geminiChat, text);
    expect(callsOf(events).map(({ name, arguments: json }) => [name, json])).toEqual([
      ['a', '{"x":1}'],
      ['b', '{"y":2}'],
      ['c', '{"z":3}'],
    ]);
    emit(events);
  });

  test.each([
    [
      [
        { jsonPath: '$.a.b', numberValue: 1 },
        { jsonPath: '$.c', numberValue: 1 },
        { jsonPath: '$.a.d', numberValue: 1 },
      ],
    ],
    [
      [
        { jsonPath: '$.a', numberValue: 1 },
        { jsonPath: '$.a', numberValue: 2 },
      ],
    ],
    [
      [
        { jsonPath: '$.a[0]', numberValue: 1 },
        { jsonPath: '$.a.b', numberValue: 2 },
      ],
    ],
    [[{ jsonPath: '$.a[99999999]', numberValue: 1 }]],
    [[{ jsonPath: '$[?(@.x)]', numberValue: 1 }]],
    [[{ jsonPath: '$', numberValue: 1 }]],
  ])('that cannot be joined in their order are an error: %j', (parts) => {
    expect(thrownBy(() => written(parts))).toMatchObject({ code: 'upstream_invalid_response' });
  });

  test('without a call are an error', () => {
    expect(thrownBy(() => decode(geminiChat, part({ partialArgs: [] })))).toMatchObject({ code: 'upstream_invalid_response' });
  });
});
