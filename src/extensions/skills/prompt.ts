/** The skill kind `prompt`: instructions as a template over a typed input, answered by a model. */
import { z } from 'zod';
import { GatewayError } from '../../types/errors.ts';
import type { Json, JsonObject } from '../../types/json.ts';
import { definePlugin } from '../../types/plugin.ts';
import { textEvents } from '../../streaming/text-events.ts';
import type { Skill } from '../../types/skill.ts';
import { compileSchema, type SchemaCheck } from '../../schema/json-schema.ts';
import { fillTemplate, parseTemplate, templatePaths } from './prompting/template.ts';
import { fieldsOf, mayContainPath } from './prompting/schema-paths.ts';
import { requireInput } from './prompting/input-validation.ts';
import { conversationMessages } from './prompting/conversation-messages.ts';
import { askTyped, faultOf, jsonFormat } from './prompting/typed-answer.ts';

const jsonSchema = z.record(z.string(), z.json());
const textInput = {
  type: 'object',
  properties: { text: { type: 'string', minLength: 1 } },
  required: ['text'],
  additionalProperties: false,
};

const options = z.strictObject({
  instructions: z.string().min(1).max(100_000).describe('The instructions for the model; {{name}} inserts a value of the input.'),
  prompt: z
    .string()
    .min(1)
    .max(100_000)
    .optional()
    .describe('The message of the user. Default: the text of the input, or the input as JSON.'),
  input_schema: jsonSchema.default(textInput).describe('JSON Schema of the input.'),
  output_schema: jsonSchema.optional().describe('JSON Schema of the answer; unless given, the answer is text.'),
  repairs: z
    .int()
    .min(0)
    .max(5)
    .default(1)
    .describe('How often the model is asked to repair an answer that does not fit the output_schema.'),
  parameters: jsonSchema.default({}).describe('More fields of the chat request, such as temperature.'),
});

type Options = z.output<typeof options>;

/** Chat request fields that only the skill sets. */
const ownFields = new Set(['model', 'messages', 'stream', 'stream_options', 'response_format', 'n', 'tools', 'gateway']);

function invalid(field: string, reason: string): GatewayError {
  const param = `spec.options.${field}`;
  return new GatewayError('configuration_invalid', `${param}: ${reason}.`, { param });
}

function compile(field: string, schema: JsonObject): SchemaCheck {
  try {
    return compileSchema(schema);
  } catch (thrown) {
    throw invalid(field, `is not a usable JSON Schema (${thrown instanceof Error ? thrown.message.slice(0, 200) : 'unknown fault'})`);
  }
}

function template(field: string, text: string, schema: JsonObject) {
  let parsed: ReturnType<typeof parseTemplate>;
  try {
    parsed = parseTemplate(text);
  } catch (thrown) {
    throw invalid(field, thrown instanceof Error ? thrown.message : 'is not a template');
  }
  const unknownPath = templatePaths(parsed).find((path) => !mayContainPath(schema, path));
  if (unknownPath !== undefined) {
    const [root, ...inner] = unknownPath;
    const isPipelines = root === 'input' && inner.length > 0 && mayContainPath(schema, inner);
    const hint = isPipelines ? `. In a prompt write {{${inner.join('.')}}}, without input` : '';
    throw invalid(field, `{{${unknownPath.join('.')}}} is not in the input_schema; it has ${fieldsOf(schema)}${hint}`);
  }
  return parsed;
}

function createPromptSkill(settings: Options): Skill {
  const inputSchema: JsonObject = settings.input_schema;
  const outputSchema: JsonObject | null = settings.output_schema ?? null;
  const own = Object.keys(settings.parameters).find((name) => ownFields.has(name));
  if (own !== undefined) throw invalid(`parameters.${own}`, 'is set by the skill itself; leave it out');
  if (inputSchema['type'] !== undefined && inputSchema['type'] !== 'object')
    throw invalid('input_schema', 'must be of an object: {"type": "object", "properties": {…}}');
  const input = compile('input_schema', inputSchema);
  const output = outputSchema === null ? null : compile('output_schema', outputSchema);
  const instructions = template('instructions', settings.instructions, inputSchema);
  const prompt = settings.prompt === undefined ? null : template('prompt', settings.prompt, inputSchema);

  /** The validated input, inserted into the templates. */
  const ask = (given: Json): readonly [JsonObject, JsonObject] => {
    const values = requireInput(input, given);
    const text = values['text'];
    const user = prompt !== null ? fillTemplate(prompt, values) : typeof text === 'string' ? text : JSON.stringify(given);
    return [
      { role: 'system', content: fillTemplate(instructions, values) },
      { role: 'user', content: user },
    ];
  };

  return {
    describe: () => ({ inputSchema, outputSchema }),

    messages: ask,

    converses: true,

    async invoke(given, run) {
      const messages = conversationMessages(ask(given), run);
      const tools = run.tools.length === 0 ? {} : { tools: run.tools };
      if (output === null) return run.invoke(run.model, { ...settings.parameters, ...tools, messages, stream: run.streamed });
      const body = { ...settings.parameters, ...tools, response_format: jsonFormat(outputSchema as JsonObject) };
      const value = await askTyped(run, { body, messages, fault: faultOf(output), repairs: settings.repairs });
      return textEvents(JSON.stringify(value));
    },
  };
}

export default definePlugin({ type: 'skill', kind: 'prompt', title: 'Prompt: a template and a model', options, create: createPromptSkill });
