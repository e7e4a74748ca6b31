/** Chat in DashScope's native format, for text and multimodal models. */
import type { ChatEvent } from '../../../types/chat.ts';
import type { ChatDecoder, ChatFormat, Reading } from '../../../types/wire-format.ts';
import { parseAnswer } from '../../answer-json.ts';
import { createEventSplitter } from '../../server-sent-events.ts';
import { AnswerReader } from './answer-reader.ts';
import { encodeRequest } from './request.ts';

function decodeResponse(body: Buffer, reading?: Reading): ChatEvent[] {
  const reader = new AnswerReader(reading);
  const events: ChatEvent[] = [];
  reader.read(parseAnswer(body.toString('utf8')), events);
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

export const dashscopeChat: ChatFormat = {
  encodeRequest,
  decodeResponse,
  decoder,
  headers: (target) => (target.stream ? { 'x-dashscope-sse': 'enable' } : {}),
};
