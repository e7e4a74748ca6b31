/** Defines a skill in code: an input schema, and a function that calls models, tools and other skills. */
import { z } from 'zod';
import { GatewayError } from '../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../types/json.ts';
import type { Logger } from '../types/logger.ts';
import { definePlugin, type Plugin } from '../types/plugin.ts';
import { zodSentence } from '../schema/zod-errors.ts';
import { wholeText, textEvents } from '../streaming/text-events.ts';

/** The calls available to the function. Each runs with the caller's rights. */
export interface SkillTools {
  readonly signal: AbortSignal;
  /** The caller's display name. Not for authorization. */
  readonly username: string;
  /** Asks the row's model: a text, or a whole chat body. Resolves with the text of the answer. */
  ask(question: string | JsonObject): Promise<string>;
  /** Calls `mcp/<server>/<tool>`, `skill/<name>` or `model/<name>`; the row must list it under tools. Resolves with structured content, text, or MCP's content list for images and files. */
  call(capability: string, input: JsonObject): Promise<Json>;
}

export interface CodeSkill<I> {
  /** The `kind` of rows that use it. */
  readonly kind: string;
  readonly title: string;
  readonly input: z.ZodType<I>;
  /** Leave it out for a skill that answers with text. The parsed result is the answer, so defaults are filled in. */
  readonly output?: z.ZodType;
  run(input: I, tools: SkillTools): Promise<unknown>;
}

function refuseInput(error: z.ZodError): GatewayError {
  const { param, sentence } = zodSentence(error, ['input']);
  return new GatewayError('invalid_request', sentence, { param });
}

function refuseOutput(error: z.ZodError): GatewayError {
  const { param, sentence } = zodSentence(error, ['output']);
  return new GatewayError('output_invalid', `The skill's code answered with what does not fit its own schema: ${sentence}`, { param });
}

const fields = ['kind', 'title', 'input', 'output', 'run'];

/** Throws an Error that names the field. Authors may not use a type checker. */
function requireShape(given: unknown): void {
  if (!isJsonObject(given)) throw new Error('defineSkill takes one object: { kind, title, input, output, run }');
  const unknownField = Object.keys(given).find((field) => !fields.includes(field));
  const beside = unknownField === undefined ? '' : `; "${unknownField}" is not a field of a skill`;
  const skill: Readonly<Record<string, unknown>> = given;
  for (const field of ['kind', 'title'])
    if (typeof skill[field] !== 'string' || skill[field] === '') throw new Error(`defineSkill: ${field} must be a text${beside}`);
  if (!(skill['input'] instanceof z.ZodType)) throw new Error(`defineSkill: input must be a zod schema${beside}`);
  if (skill['output'] !== undefined && !(skill['output'] instanceof z.ZodType))
    throw new Error(`defineSkill: output must be a zod schema, or left out for text${beside}`);
  if (typeof skill['run'] !== 'function') throw new Error(`defineSkill: run must be a function (input, tools) => result${beside}`);
  if (unknownField !== undefined) throw new Error(`defineSkill: ${unknownField} is not a field of a skill; it has ${fields.join(', ')}`);
}

function shown(field: string, schema: z.ZodType, io: 'input' | 'output'): JsonObject {
  try {
    return z.toJSONSchema(schema, { io }) as JsonObject;
  } catch (cause) {
    throw new Error(`defineSkill: ${field} cannot be shown as JSON Schema (${cause instanceof Error ? cause.message : String(cause)})`, {
      cause,
    });
  }
}

/** A GatewayError from the function reaches the caller. Any other error is logged and becomes `skill_failed`. */
function failureOf(kind: string, thrown: unknown, runId: string, logger: Logger): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  const message = `The code of the skill kind "${kind}" failed; the gateway's log has the reason.`;
  logger.error({ kind, runId, err: thrown }, message);
  return new GatewayError('skill_failed', message, { cause: thrown });
}

/**
 * Throws an Error for the author when `skill` is malformed. A call throws `invalid_request` naming the
 * field, `output_invalid` when the output does not fit its schema, `skill_failed` when the code throws.
 */
export function defineSkill<I>(skill: CodeSkill<I>): Plugin<'skill', Record<string, never>> {
  requireShape(skill);
  const inputSchema = shown('input', skill.input, 'input');
  const outputSchema = skill.output === undefined ? null : shown('output', skill.output, 'output');
  return definePlugin({
    type: 'skill',
    kind: skill.kind,
    title: skill.title,
    options: z.strictObject({}),
    create: (_options, { logger }) => ({
      describe: () => ({ inputSchema, outputSchema }),
      async invoke(given, run) {
        const tools: SkillTools = {
          signal: run.signal,
          username: run.principal.username,
          ask: async (question) =>
            wholeText(
              await run.invoke(run.model, {
                ...(run.tools.length === 0 ? {} : { tools: run.tools }),
                ...(isJsonObject(question) ? question : { messages: [{ role: 'user', content: question }] }),
              }),
            ),
          call: (capability, input) => run.call(capability, input),
        };
        // A schema may run the author's code: refinements and transforms.
        const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
          try {
            return await work();
          } catch (thrown) {
            // The abort reason explains more than the error of the interrupted code.
            if (run.signal.aborted) throw run.signal.reason;
            throw failureOf(skill.kind, thrown, run.id, logger);
          }
        };
        const checked = await guarded(() => skill.input.safeParseAsync(given));
        if (!checked.success) throw refuseInput(checked.error);
        const result = await guarded(() => skill.run(checked.data, tools));
        if (skill.output === undefined)
          return textEvents(typeof result === 'string' ? result : await guarded(async () => JSON.stringify(result ?? null)));
        const { output } = skill;
        const fits = await guarded(() => output.safeParseAsync(result));
        if (!fits.success) throw refuseOutput(fits.error);
        return textEvents(await guarded(async () => JSON.stringify(fits.data ?? null)));
      },
    }),
  });
}
