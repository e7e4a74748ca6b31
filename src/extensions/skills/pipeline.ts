/** The skill kind `pipeline`: declared steps, each a model, a tool or a skill, with data flowing from one to the next. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChatEvent } from '../../types/chat.ts';
import { GatewayError, toGatewayError } from '../../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../types/json.ts';
import { definePlugin } from '../../types/plugin.ts';
import type { SchemaCheck } from '../../schema/json-schema.ts';
import type { SkillRun } from '../../types/skill.ts';
import { textEvents } from '../../streaming/text-events.ts';
import { requireInput } from './prompting/input-validation.ts';
import { runConcurrently, defaultConcurrency } from './prompting/concurrent-steps.ts';
import { askTyped, faultOf, jsonFormat } from './prompting/typed-answer.ts';
import { holds } from './pipeline/conditions.ts';
import { fill, type Known, listOf } from './pipeline/references.ts';
import { requireSchema } from './pipeline/model-step-validation.ts';
import { requireSteps } from './pipeline/validation.ts';
import { invalid, mostItems, options, type Step } from './pipeline/options.ts';
import { createMemoryAccount } from './pipeline/memory-accounting.ts';

/** The type of an output that is written as an object or a list; null for one that may be text. */
function shapeOf(output: Json | undefined): JsonObject | null {
  if (Array.isArray(output)) return { type: 'array' };
  return isJsonObject(output) ? { type: 'object' } : null;
}

/** Text as it is, a missing value as empty text, anything else as JSON. */
function asText(answer: Json): string {
  return typeof answer === 'string' ? answer : answer === null ? '' : JSON.stringify(answer);
}

const wrongAsk = (sentence: string): GatewayError => new GatewayError('invalid_request', `with.${sentence}.`);

function messagesOf({ prompt, system, messages }: JsonObject): readonly JsonObject[] {
  if (messages !== undefined) {
    if (!Array.isArray(messages) || messages.length === 0 || !messages.every(isJsonObject))
      throw wrongAsk('messages must be a list of messages; what was put in its place is none');
    return messages;
  }
  const words = asText(prompt ?? null);
  if (words === '') throw wrongAsk('prompt is empty: nothing was there to put into its places');
  const rules = asText(system ?? null);
  return [...(rules === '' ? [] : [{ role: 'system', content: rules }]), { role: 'user', content: words }];
}

async function askModel(run: SkillRun, target: string, given: JsonObject): Promise<Json> {
  const { prompt: _prompt, system: _system, schema, messages: _messages, ...body } = given;
  const messages = messagesOf(given);
  const model = { ...run, model: target };
  if (!isJsonObject(schema)) return run.call(target, { ...body, messages });
  return askTyped(model, {
    body: { ...body, response_format: jsonFormat(schema) },
    messages,
    fault: faultOf(requireSchema(schema, (sentence) => new GatewayError('invalid_request', `with.schema ${sentence}.`))),
    repairs: 2,
  });
}

async function once(run: SkillRun, { use }: Step, given: Json): Promise<Json> {
  const target = use ?? run.model;
  if (target.startsWith('model/')) return askModel(run, target, isJsonObject(given) ? given : { prompt: given });
  return run.call(target, isJsonObject(given) ? given : { input: given });
}

/** Error codes that a retry cannot change. */
const final: ReadonlySet<string> = new Set([
  'permission_denied',
  'not_found',
  'model_not_found',
  'invalid_request',
  'step_limit_reached',
  'client_closed_request',
]);

/** The value of a step; null for a failed step with `error`. */
interface Result {
  readonly value: Json;
  readonly error?: string;
}

/** Adds the step's name to a failure, and the reason why an input could not be read. */
function ofStep({ id, use }: Step, error: GatewayError, cause: unknown): GatewayError {
  const isInput = use !== undefined && !use.startsWith('model/') && /^input\b/.test(error.message);
  const words = isInput ? `${use}: ${error.message.replace(/( is missing(?: \(.*\))?)\.$/, '$1; give it under with.')}` : error.message;
  return new GatewayError(error.code, `Step "${id}": ${words}`, { cause, expose: error.expose });
}

/** True when the step runs. Throws with the step's name for values that cannot be compared. */
function runs(step: Step, known: Known): boolean {
  try {
    return step.when === undefined || holds(step.when, known);
  } catch (thrown) {
    throw ofStep(step, toGatewayError(thrown), thrown);
  }
}

async function withRetries(run: SkillRun, given: Step, known: Known): Promise<Result> {
  const { retry, on_error: onError } = given;
  for (let attempt = 0; ; attempt++) {
    try {
      return { value: await once(run, given, fill(given.with, known)) };
    } catch (thrown) {
      run.signal.throwIfAborted();
      const error = toGatewayError(thrown);
      if (attempt < (retry?.times ?? 0) && !final.has(error.code)) {
        await sleep(retry?.delay_ms ?? 0, undefined, { signal: run.signal });
        continue;
      }
      // A missing right is always an error, even where failures are ignored.
      if (onError === 'null' && error.code !== 'permission_denied' && error.code !== 'step_limit_reached')
        return { value: null, error: error.code };
      throw ofStep(given, error, thrown);
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
    const compile = (field: string, schema: JsonObject): SchemaCheck => requireSchema(schema, (sentence) => invalid(field, sentence));
    const input = compile('input_schema', inputSchema);
    const check = outputSchema === null ? null : compile('output_schema', outputSchema);
    requireSteps(steps, output, inputSchema);

    async function* work(given: JsonObject, run: SkillRun): AsyncGenerator<readonly ChatEvent[]> {
      const results: Record<string, Json> = {};
      const known: Known = { input: given, steps: results };
      const held = createMemoryAccount('The results of the steps come');
      for (const each of steps) {
        if (!runs(each, known)) {
          results[each.id] = null;
          yield [{ type: 'step', step: { id: each.id, kind: 'progress', capability: each.id, status: 'skipped' } }];
          continue;
        }
        const items = each.each === undefined ? [null] : listOf(fill(each.each, known));
        if (items === null) throw new GatewayError('invalid_request', `Step "${each.id}": ${each.each} is no list.`);
        if (items.length > mostItems)
          throw new GatewayError('invalid_request', `Step "${each.id}": the list has more than ${mostItems} items.`);
        const done = yield* runConcurrently(
          items,
          each.at_once ?? defaultConcurrency,
          each.id,
          async (item, index) => {
            const result = await withRetries(run, each, each.each === undefined ? known : { ...known, item, index });
            held.add(result.value);
            return result;
          },
          ({ error }) => (error === undefined ? { status: 'completed' } : { status: 'failed', error }),
        );
        const values = done.map(({ value }) => value);
        results[each.id] = each.each === undefined ? (values[0] ?? null) : values;
      }
      const answer = output === undefined ? (results[steps.at(-1)?.id ?? ''] ?? null) : fill(output, known);
      createMemoryAccount('The output comes').add(answer);
      const fault = check?.fault(answer) ?? null;
      if (fault !== null)
        throw new GatewayError('output_invalid', `The output does not fit the output schema: ${fault.path || 'it'} ${fault.message}.`, {
          expose: { best_attempt: JSON.stringify(answer).slice(0, 20_000) },
        });
      yield* textEvents(outputSchema === null ? asText(answer) : JSON.stringify(answer));
    }

    return {
      describe: () => ({ inputSchema, outputSchema }),
      async invoke(given, run) {
        return work(requireInput(input, given), run);
      },
    };
  },
});
