/** The chat format of Anthropic's Messages: encodes requests and decodes answers. */
import { claudeTraits } from '../../conversation/claude.ts';
import type { ChatEvent } from '../../../types/chat.ts';
import type { StructuredOutput } from '../../../types/structured-output.ts';
import type { ChatDecoder, ChatFormat, Reading } from '../../../types/wire-format.ts';
import { parseAnswer } from '../../answer-json.ts';
import { createEventSplitter } from '../../server-sent-events.ts';
import { createStreamDecoder } from '../../stream-decoder.ts';
import { AnswerReader } from './answer-reader.ts';
import { encodeRequest, headers } from './request.ts';
import { mergeUsage, readUsage } from './usage.ts';

function decodeResponse(body: Buffer, reading?: Reading): ChatEvent[] {
  const events: ChatEvent[] = [];
  new AnswerReader(reading).readWhole(parseAnswer(body.toString('utf8')), events);
  return events;
}

function decoder(reading?: Reading): ChatDecoder {
  return createStreamDecoder(createEventSplitter(), new AnswerReader(reading));
}

/** Schema support of other models is unknown, so they receive the schema as text. */
const structuredOutput = (model: string): StructuredOutput => (claudeTraits(model).schemas ? 'json_schema' : 'none');

export const anthropicChat: ChatFormat = {
  encodeRequest,
  decodeResponse,
  countsOf: (answer) => readUsage(mergeUsage(null, answer['usage'])),
  decoder,
  headers,
  structuredOutput,
  thoughts: true,
};
