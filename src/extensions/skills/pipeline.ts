/** The skill kind `pipeline`: declared steps, each a model, a tool or a skill, with data flowing from one to the next. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { ChatEvent } from '../../types/chat.ts';
import { GatewayError, toGatewayError } from '../../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../types/json.ts';
import { definePlugin } from '../../types/plugin.ts';
import { compileSchema, type SchemaCheck } from '../../types/schema-check.ts';
import type { SkillRun } from '../../types/skill.ts';
import { wholeText, textEvents } from '../../types/text-events.ts';
import { requireInput } from './asking/checked-input.ts';
import { inTurns } from './asking/progress.ts';
import { askTyped, faultOf, jsonFormat } from './asking/typed-answer.ts';
import { condition, conditionPlaces, holds } from './pipeline/conditions.ts';
import { fill, type Known, placesIn } from './pipeline/places.ts';

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
    .string()
    .min(1)
    .max(500)
    .optional()
    .describe('A place that holds a list: the step runs for each item, its result is the list of results.'),
  at_once: z.int().min(1).max(16).default(4).describe('So many items at a time.'),
  retry: z.strictObject({ times: z.int().min(1).max(5), delay_ms: z.int().min(0).max(60_000).default(500) }).optional(),
  on_error: z.enum(['fail', 'null']).default('fail').describe('null: its result is null when it fails, and the others go on.'),
});
type Step = z.output<typeof step>;

const options = z.strictObject({
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

const mostItems = 1_000;

function invalid(field: string, sentence: string): GatewayError {
  const param = `spec.options.${field}`;
  return new GatewayError('configuration_invalid', `${param}: ${sentence}.`, { param });
}

/** Places may name the input and steps before; `item` and `index` where there is a list. */
function requirePlaces(field: string, places: () => readonly (readonly string[])[], earlier: ReadonlySet<string>, inList: boolean): void {
  let found: readonly (readonly string[])[];
  try {
    found = places();
  } catch (thrown) {
    throw invalid(field, thrown instanceof Error ? thrown.message : 'is no template');
  }
  for (const [root = '', name] of found) {
    if (root === 'input' || (inList && (root === 'item' || root === 'index'))) continue;
    if (root === 'steps' && name !== undefined && earlier.has(name)) continue;
    const known = ['input', ...[...earlier].map((each) => `steps.${each}`), ...(inList ? ['item', 'index'] : [])];
    throw invalid(
      field,
      `{{${[root, name].filter((part) => part !== undefined).join('.')}}} is not known here; known are ${known.join(', ')}`,
    );
  }
}

function requireSteps(steps: readonly Step[], output: Json | undefined): void {
  const earlier = new Set<string>();
  for (const [index, { id, with: given, when, each }] of steps.entries()) {
    const field = `steps[${index}]`;
    if (earlier.has(id)) throw invalid(`${field}.id`, `"${id}" is there twice`);
    if (when !== undefined) requirePlaces(`${field}.when`, () => conditionPlaces(when), earlier, false);
    if (each !== undefined) requirePlaces(`${field}.each`, () => placesIn(each), earlier, false);
    requirePlaces(`${field}.with`, () => placesIn(given), earlier, each !== undefined);
    earlier.add(id);
  }
  if (output !== undefined) requirePlaces('output', () => placesIn(output), earlier, false);
}

/** What an output that is written as an object or a list is in any case; null for one that may be a text. */
function shapeOf(output: Json | undefined): JsonObject | null {
  if (Array.isArray(output)) return { type: 'array' };
  return isJsonObject(output) ? { type: 'object' } : null;
}

/** Structured results come as JSON, texts as they are. */
function valueOf(text: string): Json {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

async function askModel(run: SkillRun, target: string, given: JsonObject): Promise<Json> {
  const { prompt, system, schema, ...body } = given;
  const messages = Array.isArray(given['messages'])
    ? (given['messages'] as JsonObject[])
    : [
        ...(typeof system === 'string' ? [{ role: 'system', content: system }] : []),
        { role: 'user', content: typeof prompt === 'string' ? prompt : JSON.stringify(prompt ?? null) },
      ];
  const model = { ...run, model: target };
  if (!isJsonObject(schema)) {
    return wholeText(await run.invoke(target, { ...body, messages }));
  }
  return askTyped(model, {
    body: { ...body, response_format: jsonFormat(schema) },
    messages,
    fault: faultOf(compileSchema(schema)),
    repairs: 2,
  });
}

async function once(run: SkillRun, { use }: Step, given: Json): Promise<Json> {
  const target = use ?? run.model;
  const input = isJsonObject(given) ? given : { input: given };
  if (target.startsWith('model/')) return askModel(run, target, input);
  return valueOf(await wholeText(await run.invoke(target, input)));
}

/** What trying again cannot change. */
const final: ReadonlySet<string> = new Set([
  'permission_denied',
  'not_found',
  'model_not_found',
  'invalid_request',
  'step_limit_reached',
  'client_closed_request',
]);

async function withRetries(run: SkillRun, given: Step, known: Known): Promise<Json> {
  const { retry, on_error: onError } = given;
  for (let attempt = 0; ; attempt++) {
    try {
      return await once(run, given, fill(given.with, known));
    } catch (thrown) {
      run.signal.throwIfAborted();
      const error = toGatewayError(thrown);
      if (attempt < (retry?.times ?? 0) && !final.has(error.code)) {
        await sleep(retry?.delay_ms ?? 0, undefined, { signal: run.signal });
        continue;
      }
      // A right that is missing is told, whatever else may fail in silence.
      if (onError === 'null' && error.code !== 'permission_denied' && error.code !== 'step_limit_reached') return null;
      throw new GatewayError(error.code, `Step "${given.id}": ${error.message}`, {
        cause: thrown,
        expose: error.expose,
      });
    }
  }
}

export default definePlugin({
  type: 'skill',
  kind: 'pipeline',
  title: 'Pipeline: declared steps',
  options,
  create({ input_schema: inputSchema, output_schema: declared, steps, output }) {
    const outputSchema = declared ?? shapeOf(output);
    const compile = (field: string, schema: JsonObject): SchemaCheck => {
      try {
        return compileSchema(schema);
      } catch (thrown) {
        throw invalid(field, `is no JSON Schema that can be used (${(thrown as Error).message.slice(0, 200)})`);
      }
    };
    const input = compile('input_schema', inputSchema);
    const check = outputSchema === null ? null : compile('output_schema', outputSchema);
    requireSteps(steps, output);

    async function* work(given: JsonObject, run: SkillRun): AsyncGenerator<readonly ChatEvent[]> {
      const results: Record<string, Json> = {};
      const known: Known = { input: given, steps: results };
      for (const each of steps) {
        if (each.when !== undefined && !holds(each.when, known)) {
          results[each.id] = null;
          continue;
        }
        const items = each.each === undefined ? [null] : fill(each.each, known);
        if (!Array.isArray(items)) throw new GatewayError('invalid_request', `Step "${each.id}": ${each.each} is no list.`);
        if (items.length > mostItems)
          throw new GatewayError('invalid_request', `Step "${each.id}": the list has more than ${mostItems} items.`);
        const values: Json[] = yield* inTurns(items as readonly Json[], each.at_once, each.id, (item, index) =>
          withRetries(run, each, each.each === undefined ? known : { ...known, item, index }),
        );
        results[each.id] = each.each === undefined ? (values[0] ?? null) : values;
      }
      const answer = output === undefined ? (results[steps.at(-1)?.id ?? ''] ?? null) : fill(output, known);
      const fault = check?.fault(answer) ?? null;
      if (fault !== null)
        throw new GatewayError('output_invalid', `The output does not fit the output schema: ${fault.path || 'it'} ${fault.message}.`, {
          expose: { best_attempt: JSON.stringify(answer).slice(0, 20_000) },
        });
      yield* textEvents(outputSchema === null && typeof answer === 'string' ? answer : JSON.stringify(answer));
    }

    return {
      describe: () => ({ inputSchema, outputSchema }),
      async invoke(given, run) {
        return work(requireInput(input, given), run);
      },
    };
  },
});
