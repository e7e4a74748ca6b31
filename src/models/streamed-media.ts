/** Converts a whole answer to a stream for a caller that requested one. */
import type { JsonObject } from '../types/json.ts';
import { parseAnswer } from './answer-json.ts';
import { readWhole, wholeBytes } from './bounded-body.ts';
import { withoutByteOrderMark } from './byte-order-mark.ts';
import { renderMediaEvents } from './client-formats/media-events.ts';
import { requestsStream, type PassthroughAnswer, type PassthroughOperation } from './passthrough.ts';

function isJsonType(contentType: string): boolean {
  return /^application\/json\b/i.test(contentType);
}

/** The same answer when it is already a stream, or cannot become one. */
export function streamedMedia(answer: PassthroughAnswer, operation: PassthroughOperation, fields: JsonObject): PassthroughAnswer {
  if (operation === 'speech' || !requestsStream(fields) || !isJsonType(answer.contentType)) return answer;
  async function* events(): AsyncGenerator<Buffer> {
    const bytes = withoutByteOrderMark(await readWhole(answer.body, wholeBytes));
    yield Buffer.from(renderMediaEvents(operation as 'images' | 'transcriptions', parseAnswer(bytes.toString('utf8'))));
  }
  return { ...answer, contentType: 'text/event-stream; charset=utf-8', length: null, body: events() };
}
