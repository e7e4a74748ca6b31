/** Chat in DashScope's native format, for text and multimodal models. */
import type { ChatEvent } from '../../../types/chat.ts';
import type { ChatDecoder, ChatFormat, Reading } from '../../../types/wire-format.ts';
import { parseAnswer } from '../../answer-json.ts';
import { createEventSplitter } from '../../server-sent-events.ts';
import { createStreamDecoder } from '../../stream-decoder.ts';
import { AnswerReader } from './answer-reader.ts';
import { encodeRequest } from './request.ts';
import { readUsage } from './usage.ts';

function decodeResponse(body: Buffer, reading?: Reading): ChatEvent[] {
  const reader = new AnswerReader(reading);
  const events: ChatEvent[] = [];
  reader.read(parseAnswer(body.toString('utf8')), events);
  reader.endWhole(events);
  return events;
}

function decoder(reading?: Reading): ChatDecoder {
  return createStreamDecoder(createEventSplitter(), new AnswerReader(reading));
}

export const dashscopeChat: ChatFormat = {
  encodeRequest,
  decodeResponse,
  countsOf: readUsage,
  decoder,
  headers: (target) => (target.stream ? { 'x-dashscope-sse': 'enable' } : {}),
};
