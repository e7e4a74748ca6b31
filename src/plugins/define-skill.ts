/** A skill in code, in one file: a schema, and a function that calls models, tools and other skills. */
import { z } from 'zod';
import { GatewayError } from '../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../types/json.ts';
import type { Logger } from '../types/logger.ts';
import { definePlugin, type Plugin } from '../types/plugin.ts';
import { zodSentence } from '../schema/zod-errors.ts';
import { wholeText, textEvents } from '../streaming/text-events.ts';

/** What the function may do. Everything is done in the caller's name, with the caller's rights. */
export interface SkillTools {
  readonly signal: AbortSignal;
  /** Who calls: for words, never to decide by. */
  readonly username: string;
  /** Asks the row's model: a text, or a whole chat body. Resolves with the text of the answer. */
  ask(question: string | JsonObject): Promise<string>;
  /** Calls `mcp/<server>/<tool>`, `skill/<name>` or `model/<name>`, which the row names under tools. What is structured comes as that, texts as text, pictures and files as MCP's list of contents. */
  call(capability: string, input: JsonObject): Promise<Json>;
}

export interface CodeSkill<I> {
  /** The `kind` of rows that use it. */
  readonly kind: string;
  readonly title: string;
  readonly input: z.ZodType<I>;
  /** Left out for a skill that answers with text. What it makes of the result is the answer: defaults filled in, the rest as it says. */
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

/** Throws an Error with a sentence that names the field: whoever writes a skill may do without a type checker. */
function requireShape(given: unknown): void {
  if (!isJsonObject(given)) throw new Error('defineSkill takes one object: { kind, title, input, output, run }');
  const stranger = Object.keys(given).find((field) => !fields.includes(field));
  const beside = stranger === undefined ? '' : `; "${stranger}" is no field of a skill`;
  const skill: Readonly<Record<string, unknown>> = given;
  for (const field of ['kind', 'title'])
    if (typeof skill[field] !== 'string' || skill[field] === '') throw new Error(`defineSkill: ${field} must be a text${beside}`);
  if (!(skill['input'] instanceof z.ZodType)) throw new Error(`defineSkill: input must be a zod schema${beside}`);
  if (skill['output'] !== undefined && !(skill['output'] instanceof z.ZodType))
    throw new Error(`defineSkill: output must be a zod schema, or left out for text${beside}`);
  if (typeof skill['run'] !== 'function') throw new Error(`defineSkill: run must be a function (input, tools) => result${beside}`);
  if (stranger !== undefined) throw new Error(`defineSkill: ${stranger} is no field of a skill; it has ${fields.join(', ')}`);
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

/** What the function throws by mistake is for the log; what it throws on purpose, as a GatewayError, is for the caller. */
function failureOf(kind: string, thrown: unknown, runId: string, logger: Logger): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  const message = `The code of the skill kind "${kind}" failed; whoever runs the gateway finds the reason in its log.`;
  logger.error({ kind, runId, err: thrown }, message);
  return new GatewayError('skill_failed', message, { cause: thrown });
}

/**
 * Throws an Error with a sentence for the author if it is not given a skill. Throws, when the skill is called: `invalid_request` naming the
 * field, `output_invalid` where its own output does not fit, `skill_failed` where its code throws.
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
        // Schemas may hold code of the author's too: refinements and transformations.
        const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
          try {
            return await work();
          } catch (thrown) {
            // Whoever ended the run knows why better than the code that was interrupted.
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
