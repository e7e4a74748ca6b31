/** Rules that keep an answer within OpenAI's published schema, for streams and whole answers. */
import type { FinishReason } from '../../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';

const serviceTiers: ReadonlySet<unknown> = new Set(['auto', 'default', 'flex', 'scale', 'priority', 'fast']);

/** A finish reason that agrees with the content: an answer with tool calls ends as `tool_calls`, and no other does. */
export function validFinishReason(
  reason: FinishReason,
  calls: readonly { readonly kind: 'function' | 'custom' | 'legacy' }[],
): FinishReason {
  if (reason !== 'stop' && reason !== 'tool_calls' && reason !== 'function_call') return reason;
  if (calls.some((call) => call.kind !== 'legacy')) return 'tool_calls';
  return calls.length > 0 ? 'function_call' : 'stop';
}

/** The vendor's top-level fields that the schema knows, when their form is valid: JSON text with a leading comma, or an empty text. */
export function renderExtra(extra: JsonObject | undefined): string {
  if (extra === undefined) return '';
  const { system_fingerprint: fingerprint, service_tier: tier } = extra;
  const written = serviceTiers.has(tier) ? `,"service_tier":${JSON.stringify(tier)}` : '';
  return typeof fingerprint === 'string' && fingerprint !== '' ? `${written},"system_fingerprint":${JSON.stringify(fingerprint)}` : written;
}

/** Pictures in `images`, the form of OpenRouter and its clients. `first`: the index of the first one in the answer. */
export function renderImages(urls: readonly string[], first = 0): string {
  return JSON.stringify(urls.map((url, place) => ({ type: 'image_url', image_url: { url }, index: first + place })));
}

/** A sound with the four members that the schema requires, since a vendor may omit some. `created` in epoch seconds. */
export function completeAudio(audio: JsonObject, created: number): JsonObject {
  return { id: `audio_${created}`, expires_at: created, data: '', transcript: '', ...audio };
}

/** True for the only annotation type of the schema. */
export function isUrlCitation(annotation: JsonObject): boolean {
  const citation = annotation['url_citation'];
  return (
    annotation['type'] === 'url_citation' &&
    isJsonObject(citation) &&
    Number.isInteger(citation['start_index']) &&
    Number.isInteger(citation['end_index']) &&
    typeof citation['url'] === 'string' &&
    typeof citation['title'] === 'string'
  );
}

function joined(one: Json | undefined, other: Json | undefined): Json {
  if (!Array.isArray(one)) return other ?? null;
  return Array.isArray(other) ? [...(one as readonly Json[]), ...(other as readonly Json[])] : one;
}

/** Joins the log probabilities of two successive deltas. */
export function mergeLogprobs(one: JsonObject | null, other: JsonObject): JsonObject {
  if (one === null) return other;
  return { content: joined(one['content'], other['content']), refusal: joined(one['refusal'], other['refusal']) };
}
