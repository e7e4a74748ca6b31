/** Chat in Ollama's native format: one JSON object per line. */
import type { ChatEvent } from '../../../types/chat.ts';
import type { ChatDecoder, ChatFormat, Reading } from '../../../types/wire-format.ts';
import { parseAnswer } from '../../answer-json.ts';
import { createLineSplitter } from '../../json-lines.ts';
import { createStreamDecoder } from '../../stream-decoder.ts';
import { AnswerReader, readUsage } from './answer-reader.ts';
import { encodeRequest } from './request.ts';

function decoder(reading?: Reading): ChatDecoder {
  return createStreamDecoder(createLineSplitter(), new AnswerReader(reading));
}

/** One object, unless the server streamed without being asked to. */
function decodeResponse(body: Buffer, reading?: Reading): ChatEvent[] {
  const text = body.toString('utf8').trim();
  const reader = new AnswerReader(reading);
  const events: ChatEvent[] = [];
  for (const answer of text.includes('}\n{') ? text.split('\n') : [text]) reader.read(parseAnswer(answer), events);
  reader.endWhole(events);
  return events;
}

export const ollamaChat: ChatFormat = {
  encodeRequest,
  decodeResponse,
  countsOf: readUsage,
  decoder,
  headers: (target) => ({ accept: target.stream ? 'application/x-ndjson' : 'application/json' }),
  pictures: 'bytes',
};
