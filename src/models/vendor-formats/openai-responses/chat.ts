/** The chat format `openai-responses`: requests out, answers in. */
import type { ChatEvent } from '../../../types/chat.ts';
import type { ChatDecoder, ChatFormat, Reading } from '../../../types/wire-format.ts';
import { parseAnswer } from '../../answer-json.ts';
import { createEventSplitter } from '../../server-sent-events.ts';
import { createStreamDecoder } from '../../stream-decoder.ts';
import { AnswerReader } from './answer-reader.ts';
import { encodeRequest } from './request.ts';
import { readUsage } from './usage.ts';

function decodeResponse(body: Buffer, reading?: Reading): ChatEvent[] {
  const events: ChatEvent[] = [];
  new AnswerReader(reading).readWhole(parseAnswer(body.toString('utf8')), events);
  return events;
}

function decoder(reading?: Reading): ChatDecoder {
  return createStreamDecoder(createEventSplitter(), new AnswerReader(reading));
}

export const responsesChat: ChatFormat = {
  encodeRequest,
  decodeResponse,
  countsOf: (answer) => readUsage(answer['usage']),
  decoder,
  thoughts: true,
};
