/** Adapts the top-level fields of a request to a vendor's dialect: renames, clamps, drops with a warning, or refuses. */
import { GatewayError } from '../../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../types/json.ts';
import type { UpstreamCall } from '../../types/provider.ts';
import type { Dialect } from './dialect.ts';

/** True for values that ask for the default behaviour. */
function isDefaultValue(field: string, value: Json | undefined): boolean {
  if (value === undefined || value === null) return true;
  if (field === 'parallel_tool_calls') return value === true;
  if (value === false) return true;
  if (field === 'n' || field === 'temperature' || field === 'top_p') return value === 1;
  if (field === 'presence_penalty' || field === 'frequency_penalty' || field === 'top_logprobs') return value === 0;
  if (field === 'modalities') return Array.isArray(value) && value.length === 1 && value[0] === 'text';
  return isJsonObject(value) && Object.keys(value).length === 0;
}

function toolChoice(value: Json, { toolChoices, title }: Dialect): GatewayError | null {
  if (toolChoices === undefined || (typeof value === 'string' && toolChoices.includes(value))) return null;
  const chosen = typeof value === 'string' ? `"${value}"` : 'one tool by name';
  return new GatewayError(
    'unsupported_parameter',
    `tool_choice: ${title} takes only ${toolChoices.map((word) => `"${word}"`).join(' or ')}, not ${chosen}. Leave it out or use another model.`,
    { param: 'tool_choice' },
  );
}

/** The fields in the vendor's dialect. Throws `unsupported_parameter` naming the field and the vendor. */
export function adjustFields(body: JsonObject, dialect: Dialect, call: UpstreamCall): JsonObject {
  const fields: Record<string, Json | undefined> = { ...body };
  for (const field of dialect.refuses ?? []) {
    if (!isDefaultValue(field, fields[field])) {
      throw new GatewayError('unsupported_parameter', `${field}: ${dialect.title} has no such thing. Leave it out or use another model.`, {
        param: field,
      });
    }
    delete fields[field];
  }
  for (const field of dialect.drops ?? []) {
    if (!isDefaultValue(field, fields[field]) && field !== 'stream_options') call.warn(`${field} left out: ${dialect.kind} has none`);
    delete fields[field];
  }
  if (dialect.maxTokens !== undefined) {
    const most = fields['max_completion_tokens'] ?? fields['max_tokens'];
    delete fields['max_completion_tokens'];
    delete fields['max_tokens'];
    if (most !== undefined && most !== null) fields[dialect.maxTokens] = most;
  }
  for (const [field, [from, to]] of Object.entries(dialect.clamps ?? {})) {
    const value = fields[field];
    if (typeof value !== 'number' || (value >= from && value <= to)) continue;
    fields[field] = Math.min(to, Math.max(from, value));
    call.warn(`${field} is ${fields[field]}: ${dialect.kind} takes ${from} to ${to}`);
  }
  const choice = fields['tool_choice'];
  if (choice !== undefined && choice !== null) {
    const refusal = toolChoice(choice, dialect);
    if (refusal !== null) {
      if (choice !== 'none') throw refusal;
      // Forbidding all tools equals sending none.
      delete fields['tool_choice'];
      delete fields['tools'];
    }
  }
  return fields;
}
