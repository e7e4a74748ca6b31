/** The thoughts of earlier messages in the fields that the vendor takes. Clients send them back, and most vendors refuse unknown fields. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { EncodeTarget } from '../../../types/wire-format.ts';

/** Two names of one thing: OpenAI-compatible vendors use either. */
const textFields = ['reasoning_content', 'reasoning'];
/** Fields beyond OpenAI's own: thoughts, and Pailou's mark of a failed tool. */
const foreignFields = [...textFields, 'reasoning_details', 'is_error'];
/** Formats whose opaque reasoning only their own vendors accept. */
const ownFormats: ReadonlySet<Json | undefined> = new Set(['anthropic', 'gemini', 'bedrock', 'openai-responses']);

function isOwn(detail: Json): boolean {
  return isJsonObject(detail) && ownFormats.has(detail['format']);
}

function textOf(message: JsonObject): string | undefined {
  const text = textFields.map((field) => message[field]).find((value) => typeof value === 'string' && value !== '');
  return text as string | undefined;
}

/** True when the message must be rewritten for a vendor that takes the fields `replays`. */
export function needsThoughtFields(message: JsonObject, replays: readonly string[]): boolean {
  // Loops, because each message of each call takes this path.
  for (const field of foreignFields) if (message[field] !== undefined && !replays.includes(field)) return true;
  const details = message['reasoning_details'];
  if (Array.isArray(details) && details.some(isOwn)) return true;
  if (replays.length === 0) return false;
  const missing = textFields.filter((field) => replays.includes(field) && message[field] === undefined);
  return missing.length > 0 && textOf(message) !== undefined;
}

/** The message for this vendor. Thoughts of a turn with tool calls that the vendor does not take are reported. */
export function withThoughtFields(message: JsonObject, target: EncodeTarget): JsonObject {
  const { replays = [] } = target;
  if (!needsThoughtFields(message, replays)) return message;
  const written: Record<string, Json | undefined> = { ...message };
  for (const field of foreignFields) if (!replays.includes(field)) delete written[field];
  const text = textOf(message);
  if (text !== undefined) {
    const wanted = textFields.filter((field) => replays.includes(field));
    for (const field of wanted) written[field] = text;
    if (wanted.length === 0 && Array.isArray(message['tool_calls'])) {
      target.warn(`reasoning_content of messages left out: ${target.vendor} takes none`);
    }
  }
  const details = written['reasoning_details'];
  if (Array.isArray(details)) {
    const accepted = (details as readonly Json[]).filter((detail) => !isOwn(detail));
    if (accepted.length > 0) written['reasoning_details'] = accepted;
    else delete written['reasoning_details'];
  }
  return written;
}
