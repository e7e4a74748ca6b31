/** Whole pictures and transcripts as stream events, for callers that requested a stream from a vendor that does not stream. */
import { isJsonObject, type Json, type JsonObject } from '../../types/json.ts';

type Operation = 'images' | 'transcriptions';

function event(type: string, data: JsonObject): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
}

function imageEvents(body: JsonObject): string {
  const { data, created, usage, ...more } = body;
  const images = Array.isArray(data) ? (data as readonly Json[]).filter(isJsonObject) : [];
  return images
    .map((image, index) => {
      const counted = usage !== undefined && index === images.length - 1 ? { usage } : {};
      return event('image_generation.completed', { created_at: created ?? 0, ...more, ...image, ...counted });
    })
    .join('');
}

function transcriptEvents(body: JsonObject): string {
  const { text, ...more } = body;
  const words = typeof text === 'string' ? text : '';
  return event('transcript.text.delta', { delta: words }) + event('transcript.text.done', { text: words, ...more });
}

/** OpenAI's events of the operation, as text. */
export function renderMediaEvents(operation: Operation, body: JsonObject): string {
  return operation === 'images' ? imageEvents(body) : transcriptEvents(body);
}
