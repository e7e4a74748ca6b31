/** Chat of Tongyi Qianwen in DashScope's own format, text and multimodal alike. */
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
  reader.end(events);
  return events;
}

function decoder(reading?: Reading): ChatDecoder {
  const splitter = createEventSplitter();
  const reader = new AnswerReader(reading);
  const decode = (payloads: readonly string[]): ChatEvent[] => {
    const events: ChatEvent[] = [];
    for (const payload of payloads) if (payload !== '') reader.read(parseAnswer(payload), events);
    return events;
  };
  return {
    push: (bytes) => decode(splitter.push(bytes)),
    end() {
      const events = decode(splitter.end());
      reader.end(events, reading?.choices);
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
