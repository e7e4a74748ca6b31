/** References of a prompt template that no input can fill are found when the skill is saved. */
import { describe, expect, it } from 'vitest';
import prompt from '../../../../src/extensions/skills/prompt.ts';
import type { JsonObject } from '../../../../src/types/json.ts';
import { services } from '../../mcp/services.ts';

const object = (properties: JsonObject): JsonObject => ({ type: 'object', properties });
const save = async (instructions: string, schema: JsonObject) =>
  prompt.create(prompt.options.parse({ instructions, input_schema: schema }), services);

describe('a reference of the template', () => {
  it.each([
    ['{{nmae}}', object({ name: { type: 'string' } })],
    ['{{customer.nmae}}', object({ customer: object({ name: {} }) })],
    ['{{constructor}}', object({})],
  ])('%s is refused, though the schema is open', async (place, schema) => {
    await expect(save(place, schema)).rejects.toMatchObject({ code: 'configuration_invalid', param: 'spec.options.instructions' });
  });

  it.each([
    ['{{customer.name}}', object({ customer: { type: 'object' } })],
    ['{{any.thing}}', { type: 'object' }],
    ['{{referred}}', { ...object({ other: {} }), allOf: [object({ referred: {} })] }],
  ])('is accepted where the schema does not list the fields', async (place, schema) => {
    await expect(save(place, schema)).resolves.toBeDefined();
  });
});
