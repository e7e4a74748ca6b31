/** An answer that fits a JSON Schema: checked, and repaired once. */
import { sumKnown } from '../../../types/sum-usage.ts';
import type { ChatEvent, ChatEvents, Usage } from '../../../types/chat.ts';
import { GatewayError } from '../../../types/errors.ts';
import type { Json, JsonObject } from '../../../types/json.ts';
import type { SkillRun } from '../../../types/skill.ts';
import type { SchemaCheck } from '../../../types/schema-check.ts';

async function readAnswer(events: ChatEvents): Promise<{ text: string; usage: Usage | null }> {
  let text = '';
  let usage: Usage | null = null;
  for await (const batch of events) {
    for (const event of batch) {
      if (event.type === 'text-delta' && event.choice === 0) text += event.text;
      else if (event.type === 'response-end') usage = event.usage;
    }
  }
  return { text, usage };
}

/** Some models put a fence of code around their JSON. */
function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text.replace(/^\s*```(?:json)?\s*|\s*```\s*$/g, '')) as Json;
  } catch {
    return undefined;
  }
}

async function* jsonAnswer(value: Json, usage: Usage | null): AsyncGenerator<readonly ChatEvent[]> {
  yield [
    { type: 'response-start' },
    { type: 'text-delta', choice: 0, text: JSON.stringify(value) },
    { type: 'finish', choice: 0, reason: 'stop' },
    { type: 'response-end', usage },
  ];
}

/**
 * One answer that passes `check`; the model is told once what does not. `body` lacks the messages only.
 * Throws `output_invalid` with the last attempt. The usage is that of all attempts.
 */
export async function typedAnswer(
  run: SkillRun,
  body: JsonObject,
  messages: readonly JsonObject[],
  check: SchemaCheck,
): Promise<ChatEvents> {
  let asked = messages;
  let best = '';
  let reason = '';
  let usage: Usage | null = null;
  for (let attempt = 0; attempt < 2; attempt++) {
    const answer = await readAnswer(await run.invoke(run.model, { ...body, messages: asked }));
    usage = sumKnown([usage, answer.usage]);
    best = answer.text;
    const value = parseJson(best);
    if (value === undefined) reason = 'the answer is not JSON';
    else {
      const fault = check.fault(value);
      if (fault === null) return jsonAnswer(value, usage);
      reason = `${fault.path || 'the answer'} ${fault.message}`;
    }
    asked = [
      ...messages,
      { role: 'assistant', content: best },
      { role: 'user', content: `That does not fit the schema: ${reason}. Answer again with JSON that fits, and nothing else.` },
    ];
  }
  throw new GatewayError('output_invalid', `The model's answer does not fit the output schema, also after it was told so: ${reason}.`, {
    expose: { best_attempt: best.slice(0, 20_000) },
  });
}
