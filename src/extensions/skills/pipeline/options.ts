/** The options of a pipeline. */
import { z } from 'zod';
import { GatewayError } from '../../../types/errors.ts';
import { condition } from './conditions.ts';

export const noPlace = 'must be a place such as "{{input.list}}"';

const jsonSchema = z.record(z.string(), z.json());
const step = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9_]{0,63}$/, 'small letters, digits and _, starting with a letter'),
  use: z
    .string()
    .regex(/^(model|skill|mcp)\/\S+$/, 'model/<name>, skill/<name> or mcp/<server>/<tool>')
    .optional()
    .describe("Unless given, the skill's own model. The row has to name it under tools."),
  with: z
    .json()
    .default({})
    .describe(
      'Its input, with places such as {{input.text}}, {{steps.read}} and {{item.name}}. For a model: prompt, system and schema, or messages.',
    ),
  when: condition.optional().describe('Whether it runs at all; its result is null if not.'),
  each: z
    .string(noPlace)
    .min(1)
    .max(500)
    .optional()
    .describe('A place that holds a list: the step runs for each item, its result is the list of results.'),
  at_once: z.int().min(1).max(16).optional().describe('The items of each that run at a time. Default: 4.'),
  retry: z.strictObject({ times: z.int().min(1).max(5), delay_ms: z.int().min(0).max(60_000).default(500) }).optional(),
  on_error: z.enum(['fail', 'null']).default('fail').describe('null: its result is null when it fails, and the others go on.'),
});
export type Step = z.output<typeof step>;

export const options = z.strictObject({
  input_schema: jsonSchema.default({
    type: 'object',
    properties: { text: { type: 'string', minLength: 1 } },
    required: ['text'],
    additionalProperties: false,
  }),
  output_schema: jsonSchema
    .optional()
    .describe('JSON Schema of the output; unless given it may be anything, and is a text unless it is written as an object or a list.'),
  steps: z.array(step).min(1).max(50),
  output: z.json().optional().describe('What it answers, with places; unless given, the result of the last step.'),
});

export const mostItems = 1_000;

/** A hint that is a question stays as it is. */
export function invalid(field: string, sentence: string): GatewayError {
  const param = `spec.options.${field}`;
  return new GatewayError('configuration_invalid', `${param}: ${sentence}${sentence.endsWith('?') ? '' : '.'}`, { param });
}
