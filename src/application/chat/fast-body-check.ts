/** Checks whether a chat request is certainly valid. The same rules as the schema's, at less cost per call. */
import { isJsonObject, type Json, type JsonObject } from '../../types/json.ts';
import { messageRoles } from '../../types/message-roles.ts';

/** True for a missing or null field, or one that satisfies `rule`. */
function fits(value: Json | undefined, rule: (value: Json) => boolean): boolean {
  return value === undefined || value === null || rule(value);
}

const isText = (value: Json | undefined): value is string => typeof value === 'string' && value.length > 0;
const isSwitch = (value: Json): boolean => typeof value === 'boolean';
const isCount = (value: Json): value is number => Number.isSafeInteger(value) && (value as number) >= 1;
const isListWith = (value: Json | undefined, field: string): boolean =>
  Array.isArray(value) && value.every((item: Json) => isJsonObject(item) && isText(item[field]));

/** A loop, because each message of each call takes this path. */
function areMessages(value: Json | undefined): boolean {
  if (!Array.isArray(value) || value.length === 0) return false;
  for (const message of value as readonly Json[]) {
    if (!isJsonObject(message)) return false;
    const { role } = message;
    if (typeof role !== 'string' || !messageRoles.has(role)) return false;
  }
  return true;
}

/** True only for bodies that `chatBodySchema` accepts. All others, and those with Pailou's own options, need the schema. */
export function passesFastCheck(body: JsonObject): boolean {
  const { model, messages } = body;
  return (
    body['gateway'] === undefined &&
    isText(model) &&
    model.length <= 256 &&
    areMessages(messages) &&
    fits(body['stream'], isSwitch) &&
    fits(body['stream_options'], (options) => isJsonObject(options) && fits(options['include_usage'], isSwitch)) &&
    fits(body['tools'], (tools) => isListWith(tools, 'type')) &&
    fits(body['n'], (count) => isCount(count) && count <= 128) &&
    fits(body['max_tokens'], isCount) &&
    fits(body['max_completion_tokens'], isCount) &&
    fits(body['temperature'], Number.isFinite)
  );
}
