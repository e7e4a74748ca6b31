/** Converts finished text to chat events and chat events to text. */
import type { ChatEvent, ChatEvents, FinishReason } from '../types/chat.ts';
import { GatewayError } from '../types/errors.ts';

/** Emits one text as the answer of a model. It carries no usage: the run that made the text records it. */
export async function* textEvents(text: string, reason: FinishReason = 'stop', refusal = ''): AsyncGenerator<readonly ChatEvent[]> {
  yield [
    { type: 'response-start' },
    { type: 'text-delta', choice: 0, text },
    ...(refusal === '' ? [] : [{ type: 'refusal-delta' as const, choice: 0, text: refusal }]),
    { type: 'finish', choice: 0, reason },
    { type: 'response-end', usage: null },
  ];
}

export interface TextAnswer {
  readonly text: string;
  readonly reason: FinishReason;
  /** The model's refusal; empty when there is none. */
  readonly refusal: string;
  /** The number of images in the answer. */
  readonly images: number;
}

/** Reads the events of the first choice to their end. */
export async function collectText(events: ChatEvents): Promise<TextAnswer> {
  let text = '';
  let refusal = '';
  let reason: FinishReason = 'stop';
  let images = 0;
  for await (const batch of events) {
    for (const event of batch) {
      if (!('choice' in event) || event.choice !== 0) continue;
      if (event.type === 'text-delta') text += event.text;
      else if (event.type === 'refusal-delta') refusal += event.text;
      else if (event.type === 'image') images++;
      else if (event.type === 'finish') reason = event.reason;
    }
  }
  return { text, reason, refusal, images };
}

/** The whole text of an answer. Throws `output_truncated` or `content_filter` for an incomplete one. */
export async function wholeText(events: ChatEvents): Promise<string> {
  const { text, reason, refusal, images } = await collectText(events);
  const expose = text === '' ? {} : { expose: { best_attempt: text.slice(0, 20_000) } };
  if (reason === 'length')
    throw new GatewayError(
      'output_truncated',
      'The answer of the model was cut off at its limit of length, or of rounds of tools.',
      expose,
    );
  if (reason === 'content_filter') throw new GatewayError('content_filter', "The vendor's filter cut the answer of the model off.", expose);
  if (refusal !== '' && text === '') throw new GatewayError('content_filter', `The model refuses: ${refusal.slice(0, 500)}`);
  if (images > 0 && text === '') {
    throw new GatewayError(
      'upstream_invalid_response',
      'The model answered with a picture where a text is needed. Use a model that answers with text.',
    );
  }
  return text;
}
