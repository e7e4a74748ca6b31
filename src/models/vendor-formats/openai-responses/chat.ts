/** The chat format `openai-responses`: requests out, answers in. */
import type { ChatEvent } from '../../../types/chat.ts';
import type { ChatDecoder, ChatFormat, Reading } from '../../../types/wire-format.ts';
import { parseAnswer } from '../../answer-json.ts';
import { createEventSplitter } from '../../server-sent-events.ts';
import { AnswerReader } from './answer-reader.ts';
import { encodeRequest } from './request.ts';

function decodeResponse(body: Buffer, reading?: Reading): ChatEvent[] {
  const events: ChatEvent[] = [];
  new AnswerReader(reading).readWhole(parseAnswer(body.toString('utf8')), events);
  return events;
}

function decoder(reading?: Reading): ChatDecoder {
  const splitter = createEventSplitter();
  const reader = new AnswerReader(reading);
  const decode = (payloads: readonly string[]): ChatEvent[] => {
    const events: ChatEvent[] = [];
    for (const payload of payloads) {
      if (reader.ended) break;
      // The last event ends the answer; `[DONE]` after it, which some proxies add, says nothing.
      if (payload !== '' && payload.trimEnd() !== '[DONE]') reader.read(parseAnswer(payload), events);
    }
    return events;
  };
  return {
    push: (bytes) => decode(splitter.push(bytes)),
    get progress() {
      return reader.ended ? 'counted' : 'open';
    },
    end() {
      const events = decode(splitter.end());
      reader.hangUp();
      return events;
    },
  };
}

export const responsesChat: ChatFormat = { encodeRequest, decodeResponse, decoder, thoughts: true };
