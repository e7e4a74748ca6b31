/** The small rules that keep an answer inside OpenAI's published schema, the same for streams and whole answers. */
import type { FinishReason } from '../../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';

const serviceTiers: ReadonlySet<unknown> = new Set(['auto', 'default', 'flex', 'scale', 'priority', 'fast']);

/** A finish reason that agrees with what was said: calls end as calls, and only calls do. */
export function validFinishReason(
  reason: FinishReason,
  calls: readonly { readonly kind: 'function' | 'custom' | 'legacy' }[],
): FinishReason {
  if (reason !== 'stop' && reason !== 'tool_calls' && reason !== 'function_call') return reason;
  if (calls.some((call) => call.kind !== 'legacy')) return 'tool_calls';
  return calls.length > 0 ? 'function_call' : 'stop';
}

/** The vendor's top-level fields that the schema knows, where they have the right form: JSON text that begins with a comma, or nothing. */
export function renderExtra(extra: JsonObject | undefined): string {
  if (extra === undefined) return '';
  const { system_fingerprint: fingerprint, service_tier: tier } = extra;
  const written = serviceTiers.has(tier) ? `,"service_tier":${JSON.stringify(tier)}` : '';
  return typeof fingerprint === 'string' && fingerprint !== '' ? `${written},"system_fingerprint":${JSON.stringify(fingerprint)}` : written;
}

/** Pictures as OpenRouter and its clients write them in `images`; `first` is the place of the first in the answer. */
export function renderImages(urls: readonly string[], first = 0): string {
  return JSON.stringify(urls.map((url, place) => ({ type: 'image_url', image_url: { url }, index: first + place })));
}

/** A sound with the four members that the schema asks for; a vendor may lack any of them. `created` in epoch seconds. */
export function completeAudio(audio: JsonObject, created: number): JsonObject {
  return { id: `audio_${created}`, expires_at: created, data: '', transcript: '', ...audio };
}

/** The only annotation that the schema has. */
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

/** Log probabilities of two deltas, one after the other. */
export function mergeLogprobs(one: JsonObject | null, other: JsonObject): JsonObject {
  if (one === null) return other;
  return { content: joined(one['content'], other['content']), refusal: joined(one['refusal'], other['refusal']) };
}
