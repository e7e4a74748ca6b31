/** Chat with Gemini, at Google AI Studio and at Vertex AI. */
import type { ChatEvent } from '../../../types/chat.ts';
import { isJsonObject } from '../../../types/json.ts';
import type { ChatDecoder, ChatFormat, Reading } from '../../../types/wire-format.ts';
import { invalidAnswer, parseAnswer } from '../../answer-json.ts';
import { createEventSplitter } from '../../server-sent-events.ts';
import { createStreamDecoder } from '../../stream-decoder.ts';
import { AnswerReader } from './answer-reader.ts';
import { encodeRequest } from './request.ts';
import { readUsage } from './usage.ts';

function decodeResponse(body: Buffer, reading?: Reading): ChatEvent[] {
  const reader = new AnswerReader(reading);
  const events: ChatEvent[] = [];
  const text = body.toString('utf8');
  if (text.trimStart().startsWith('[')) {
    // A stream without `alt=sse` is one list of all parts.
    let parts: unknown;
    try {
      parts = JSON.parse(text);
    } catch {
      throw invalidAnswer('an answer that is not valid', text);
    }
    for (const part of parts as readonly unknown[]) if (isJsonObject(part)) reader.read(part, events);
  } else reader.read(parseAnswer(text), events);
  reader.endWhole(events);
  return events;
}

function decoder(reading?: Reading): ChatDecoder {
  return createStreamDecoder(createEventSplitter(), new AnswerReader(reading));
}

export const geminiChat: ChatFormat = { encodeRequest, decodeResponse, countsOf: readUsage, decoder, pictures: 'bytes', thoughts: true };
