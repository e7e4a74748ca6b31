/** An answer that fits a JSON Schema: checked, and repaired with the validator's words. */
import { GatewayError } from '../../../types/errors.ts';
import type { Json, JsonObject } from '../../../types/json.ts';
import type { SchemaCheck } from '../../../schema/json-schema.ts';
import type { SkillRun } from '../../../types/skill.ts';
import { extractJson } from './json-extractor.ts';
import { wholeText } from '../../../streaming/text-events.ts';

export interface TypedQuestion {
  /** All of the chat request but the messages. */
  readonly body: JsonObject;
  readonly messages: readonly JsonObject[];
  /** What an answer of nearly the right form means; unless given, what it is. */
  readonly meant?: (value: Json) => Json;
  /** What is wrong with an answer, as a sentence for the model; null for nothing. */
  readonly fault: (value: Json) => string | null | Promise<string | null>;
  /** Rounds in which the model may repair what it said. */
  readonly repairs: number;
}

/** A fault as a sentence. */
export function faultOf(check: SchemaCheck): (value: Json) => string | null {
  return (value) => {
    const fault = check.fault(value);
    return fault === null ? null : `${fault.path || 'the answer'} ${fault.message}`;
  };
}

/** Throws `output_invalid` with the best attempt when the repairs are used up. */
export async function askTyped(run: SkillRun, { body, messages, meant, fault, repairs }: TypedQuestion): Promise<Json> {
  let asked = messages;
  let best = '';
  let hasJson = false;
  let reason = '';
  for (let attempt = 0; attempt <= repairs; attempt++) {
    const text = await wholeText(await run.invoke(run.model, { ...body, messages: asked }));
    const found = extractJson(text);
    const value = found === undefined ? undefined : (meant?.(found) ?? found);
    // What is JSON at all is nearer to the aim than what is none.
    if (value !== undefined || !hasJson) best = text;
    hasJson ||= value !== undefined;
    const wrong = value === undefined ? 'the answer is not JSON' : await fault(value);
    if (value !== undefined && wrong === null) return value;
    reason = wrong ?? '';
    asked = [
      ...messages,
      { role: 'assistant', content: text },
      { role: 'user', content: `That does not fit the schema: ${reason}. Answer again with JSON that fits, and nothing else.` },
    ];
  }
  throw new GatewayError(
    'output_invalid',
    `The model's answer does not fit what the skill asks for, also after it was told so: ${reason}. Another model may do better.`,
    {
      expose: { best_attempt: best.slice(0, 20_000) },
    },
  );
}

/** The field of a chat request that asks a vendor for JSON of this schema. */
export function jsonFormat(schema: JsonObject): JsonObject {
  return { type: 'json_schema', json_schema: { name: 'answer', schema } };
}
