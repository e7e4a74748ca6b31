/** Chat with Gemini, at Google AI Studio and at Vertex AI. */
import type { ChatEvent } from '../../../types/chat.ts';
import { isJsonObject } from '../../../types/json.ts';
import type { ChatDecoder, ChatFormat, Reading } from '../../../types/wire-format.ts';
import { invalidAnswer, parseAnswer } from '../../answer-json.ts';
import { createEventSplitter } from '../../server-sent-events.ts';
import { AnswerReader } from './answer-reader.ts';
import { encodeRequest } from './request.ts';

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
  const splitter = createEventSplitter();
  const reader = new AnswerReader(reading);
  const decode = (payloads: readonly string[]): ChatEvent[] => {
    const events: ChatEvent[] = [];
    for (const payload of payloads) {
      if (reader.ended) break;
      // Some who copy the format end their streams as OpenAI does.
      if (payload.trimEnd() === '[DONE]') reader.end('said', events);
      else if (payload !== '') reader.read(parseAnswer(payload), events);
    }
    return events;
  };
  return {
    push: (bytes) => decode(splitter.push(bytes)),
    get progress() {
      return reader.progress;
    },
    end() {
      const events = decode(splitter.end());
      if (!reader.ended) reader.end('closed', events);
      return events;
    },
  };
}

export const geminiChat: ChatFormat = { encodeRequest, decodeResponse, decoder, pictures: 'bytes', thoughts: true };
