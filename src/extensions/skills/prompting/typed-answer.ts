/** Asks a model for an answer that fits a JSON Schema. The validator's messages drive the repairs. */
import { GatewayError } from '../../../types/errors.ts';
import type { Json, JsonObject } from '../../../types/json.ts';
import type { SchemaCheck } from '../../../schema/json-schema.ts';
import type { SkillRun } from '../../../types/skill.ts';
import { extractJson } from '../../../schema/json-extractor.ts';
import { wholeText } from '../../../streaming/text-events.ts';

export interface TypedQuestion {
  /** The chat request without the messages. */
  readonly body: JsonObject;
  readonly messages: readonly JsonObject[];
  /** Normalizes a near-miss answer. By default the answer is unchanged. */
  readonly normalize?: (value: Json) => Json;
  /** The fault of an answer as a sentence for the model; null for none. */
  readonly fault: (value: Json) => string | null | Promise<string | null>;
  /** The number of repair rounds. */
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
export async function askTyped(run: SkillRun, { body, messages, normalize, fault, repairs }: TypedQuestion): Promise<Json> {
  let asked = messages;
  let best = '';
  let hasJson = false;
  let reason = '';
  for (let attempt = 0; attempt <= repairs; attempt++) {
    const text = await wholeText(await run.invoke(run.model, { ...body, messages: asked }));
    const found = extractJson(text);
    const value = found === undefined ? undefined : (normalize?.(found) ?? found);
    // Valid JSON is a better attempt than text.
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
    `The model's answer does not fit the output schema of the skill, even after a repair: ${reason}. Another model may do better.`,
    {
      expose: { best_attempt: best.slice(0, 20_000) },
    },
  );
}

/** The `response_format` for this schema. */
export function jsonFormat(schema: JsonObject): JsonObject {
  return { type: 'json_schema', json_schema: { name: 'answer', schema } };
}
