/** A skill in code, in one file: a schema, and a function that calls models, tools and other skills. */
import { z } from 'zod';
import { GatewayError } from './errors.ts';
import { isJsonObject, type Json, type JsonObject } from './json.ts';
import { definePlugin, type Plugin } from './plugin.ts';
import { zodSentence } from './zod-fault.ts';
import { wholeText, textEvents } from './text-events.ts';

/** What the function may do. Everything is done in the caller's name, with the caller's rights. */
export interface SkillTools {
  readonly signal: AbortSignal;
  /** Who calls: for words, never to decide by. */
  readonly username: string;
  /** Asks the row's model: a text, or a whole chat body. Resolves with the text of the answer. */
  ask(question: string | JsonObject): Promise<string>;
  /** Calls `mcp/<server>/<tool>`, `skill/<name>` or `model/<name>`, which the row names under tools. What is structured comes as that, all else as text. */
  call(capability: string, input: JsonObject): Promise<Json>;
}

export interface CodeSkill<I> {
  /** The `kind` of rows that use it. */
  readonly kind: string;
  readonly title: string;
  readonly input: z.ZodType<I>;
  /** Left out for a skill that answers with text. */
  readonly output?: z.ZodType;
  run(input: I, tools: SkillTools): Promise<unknown>;
}

function refuseInput(error: z.ZodError): GatewayError {
  const { param, sentence } = zodSentence(error, ['input']);
  return new GatewayError('invalid_request', sentence, { param });
}

/** Throws, when the skill is called: `invalid_request` naming the field, `output_invalid` where its own output does not fit. */
export function defineSkill<I>(skill: CodeSkill<I>): Plugin<'skill', Record<string, never>> {
  const inputSchema = z.toJSONSchema(skill.input, { io: 'input' }) as JsonObject;
  const outputSchema = skill.output === undefined ? null : (z.toJSONSchema(skill.output) as JsonObject);
  return definePlugin({
    type: 'skill',
    kind: skill.kind,
    title: skill.title,
    options: z.strictObject({}),
    create: () => ({
      describe: () => ({ inputSchema, outputSchema }),
      async invoke(given, run) {
        const checked = skill.input.safeParse(given);
        if (!checked.success) throw refuseInput(checked.error);
        const result = await skill.run(checked.data, {
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
        });
        const fits = skill.output?.safeParse(result);
        if (fits !== undefined && !fits.success)
          throw new GatewayError(
            'output_invalid',
            `The skill's code answered with what does not fit its own schema: ${fits.error.issues[0]?.message ?? ''}`,
          );
        return textEvents(outputSchema === null && typeof result === 'string' ? result : JSON.stringify(result ?? null));
      },
    }),
  });
}
