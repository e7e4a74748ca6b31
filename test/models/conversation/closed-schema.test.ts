import { expect, test } from 'vitest';
import { closedSchema } from '../../../src/models/conversation/closed-schema.ts';

test('a schema for Anthropic is closed at every level, with bounds in its descriptions', () => {
  const stepRecords: string[] = [];
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: {
      name: { type: 'string', description: 'A name.', minLength: 1, format: 'email' },
      code: { type: 'string', format: 'zip', pattern: '^x' },
      list: { type: 'array', minItems: 1, maxItems: 3, items: { type: ['object', 'null'], properties: { minimum: { type: 'number' } } } },
      either: { oneOf: [{ $ref: '#/$defs/leaf' }, { type: 'null' }] },
      map: { type: 'object', additionalProperties: { type: 'string' } },
    },
    $defs: { leaf: { type: 'object', properties: {} } },
  };
  expect(closedSchema(schema, (keyword) => stepRecords.push(keyword))).toEqual({
    type: 'object',
    additionalProperties: false,
    properties: {
      name: { type: 'string', description: 'A name. (minLength: 1)', format: 'email' },
      code: { type: 'string', description: '(format: "zip")', pattern: '^x' },
      list: {
        type: 'array',
        minItems: 1,
        description: '(maxItems: 3)',
        items: { type: ['object', 'null'], properties: { minimum: { type: 'number' } }, additionalProperties: false },
      },
      either: { anyOf: [{ $ref: '#/$defs/leaf' }, { type: 'null' }] },
      map: { type: 'object', additionalProperties: { type: 'string' } },
    },
    $defs: { leaf: { type: 'object', properties: {}, additionalProperties: false } },
  });
  expect(stepRecords).toEqual(['minLength', 'format', 'maxItems']);
});
