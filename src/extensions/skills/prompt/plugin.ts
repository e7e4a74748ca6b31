/** The skill kind `prompt`: instructions as a template over a typed input, answered by a model. */
import { z } from 'zod';
import type { ChatEvent, ChatEvents } from '../../../types/chat.ts';
import { GatewayError } from '../../../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { definePlugin } from '../../../types/plugin.ts';
import type { Skill, SkillRun } from '../../../types/skill.ts';
import { compileSchema, type SchemaCheck } from './schema-check.ts';
import { fillTemplate, parseTemplate, templateVariables } from './template.ts';

const jsonSchema = z.record(z.string(), z.json());
const textInput = {
  type: 'object',
  properties: { text: { type: 'string', minLength: 1 } },
  required: ['text'],
  additionalProperties: false,
};

const options = z.strictObject({
  instructions: z.string().min(1).max(100_000).describe('What the model is told; {{name}} puts a value of the input in.'),
  prompt: z
    .string()
    .min(1)
    .max(100_000)
    .optional()
    .describe('The message of the user; unless given, the text of the input, or the input as JSON.'),
  input_schema: jsonSchema.default(textInput).describe('JSON Schema of the input.'),
  output_schema: jsonSchema.optional().describe('JSON Schema of the answer; unless given, the answer is text.'),
  parameters: jsonSchema.default({}).describe('More fields of the chat request, such as temperature.'),
});

type Options = z.output<typeof options>;

/** Fields of a chat request that are the skill's own business. */
const ownFields = new Set(['model', 'messages', 'stream', 'stream_options', 'response_format', 'n', 'tools', 'gateway']);

function invalid(field: string, reason: string): GatewayError {
  const param = `spec.options.${field}`;
  return new GatewayError('configuration_invalid', `${param}: ${reason}.`, { param });
}

function compile(field: string, schema: JsonObject): SchemaCheck {
  try {
    return compileSchema(schema);
  } catch (thrown) {
    throw invalid(
      field,
      `is not a JSON Schema that can be used (${thrown instanceof Error ? thrown.message.slice(0, 200) : 'unknown fault'})`,
    );
  }
}

function template(field: string, text: string, schema: JsonObject) {
  let parsed: ReturnType<typeof parseTemplate>;
  try {
    parsed = parseTemplate(text);
  } catch (thrown) {
    throw invalid(field, thrown instanceof Error ? thrown.message : 'is not a template');
  }
  const properties = isJsonObject(schema['properties']) ? Object.keys(schema['properties']) : null;
  const stranger =
    schema['additionalProperties'] === false && properties !== null
      ? templateVariables(parsed).find((name) => !properties.includes(name))
      : undefined;
  if (stranger !== undefined) throw invalid(field, `{{${stranger}}} is not in the input_schema; it has ${properties?.join(', ')}`);
  return parsed;
}

async function readText(events: ChatEvents): Promise<{ text: string; last: readonly ChatEvent[] }> {
  let text = '';
  let last: readonly ChatEvent[] = [];
  for await (const batch of events) {
    for (const event of batch) if (event.type === 'text-delta' && event.choice === 0) text += event.text;
    last = batch.filter((event) => event.type === 'response-end');
  }
  return { text, last };
}

function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text.replace(/^\s*```(?:json)?\s*|\s*```\s*$/g, '')) as Json;
  } catch {
    return undefined;
  }
}

async function* jsonAnswer(text: string, last: readonly ChatEvent[]): AsyncGenerator<readonly ChatEvent[]> {
  const end: ChatEvent = last[0] ?? { type: 'response-end', usage: null };
  yield [{ type: 'response-start' }, { type: 'text-delta', choice: 0, text }, { type: 'finish', choice: 0, reason: 'stop' }, end];
}

/** One answer that fits the schema; the model is told once what does not. */
async function typedAnswer(run: SkillRun, body: JsonObject, messages: readonly JsonObject[], check: SchemaCheck): Promise<ChatEvents> {
  let asked = messages;
  let best = '';
  let reason = '';
  for (let attempt = 0; attempt < 2; attempt++) {
    const { text, last } = await readText(await run.invoke(run.model, { ...body, messages: asked }));
    best = text;
    const value = parseJson(text);
    const fault = value === undefined ? { path: '', message: 'is not JSON' } : check.fault(value);
    if (fault === null) return jsonAnswer(JSON.stringify(value), last);
    reason = fault.path === '' ? `the answer ${fault.message}` : `${fault.path} ${fault.message}`;
    asked = [
      ...messages,
      { role: 'assistant', content: text },
      { role: 'user', content: `That does not fit the schema: ${reason}. Answer again with JSON that fits, and nothing else.` },
    ];
  }
  throw new GatewayError('output_invalid', `The model's answer does not fit the output schema, also after it was told so: ${reason}.`, {
    expose: { best_attempt: best.slice(0, 20_000) },
  });
}

function createPromptSkill(settings: Options): Skill {
  const inputSchema: JsonObject = settings.input_schema;
  const outputSchema: JsonObject | null = settings.output_schema ?? null;
  const own = Object.keys(settings.parameters).find((name) => ownFields.has(name));
  if (own !== undefined) throw invalid(`parameters.${own}`, 'is set by the skill itself; leave it out');
  const input = compile('input_schema', inputSchema);
  const output = outputSchema === null ? null : compile('output_schema', outputSchema);
  const instructions = template('instructions', settings.instructions, inputSchema);
  const prompt = settings.prompt === undefined ? null : template('prompt', settings.prompt, inputSchema);

  return {
    describe: () => ({ inputSchema, outputSchema }),

    async invoke(given, run) {
      const fault = input.fault(given);
      if (fault !== null) {
        const param = fault.path === '' ? 'input' : `input.${fault.path}`;
        throw new GatewayError('invalid_request', `${param} ${fault.message}.`, { param });
      }
      const values = isJsonObject(given) ? given : {};
      const text = values['text'];
      const user = prompt !== null ? fillTemplate(prompt, values) : typeof text === 'string' ? text : JSON.stringify(given);
      const messages: JsonObject[] = [
        { role: 'system', content: fillTemplate(instructions, values) },
        { role: 'user', content: user },
      ];
      if (output === null) return run.invoke(run.model, { ...settings.parameters, messages, stream: run.streamed });
      const format: JsonObject = { type: 'json_schema', json_schema: { name: 'answer', schema: outputSchema as JsonObject } };
      return typedAnswer(run, { ...settings.parameters, response_format: format }, messages, output);
    },
  };
}

export default definePlugin({ type: 'skill', kind: 'prompt', title: 'Prompt: a template and a model', options, create: createPromptSkill });
