/** Chat completions of OpenAI and compatible vendors: encodes requests and decodes answers. */
import type { ChatEvent, ChatRequest, MemberChange } from '../../../types/chat.ts';
import { isJsonObject, type JsonObject } from '../../../types/json.ts';
import type { ChatDecoder, ChatFormat, EncodeTarget, Reading } from '../../../types/wire-format.ts';
import { parseAnswer } from '../../answer-json.ts';
import { createEventSplitter } from '../../server-sent-events.ts';
import { createStreamDecoder } from '../../stream-decoder.ts';
import { AnswerReader } from './answer-reader.ts';
import { needsThoughtFields, withThoughtFields } from './thought-fields.ts';
import { readUsage } from './usage.ts';

/** Pailou always requests the usage of a stream. The emitter hides it from callers that did not request it. */
function streamOptions(body: JsonObject): JsonObject | null {
  const given = isJsonObject(body['stream_options']) ? body['stream_options'] : {};
  return given['include_usage'] === true ? null : { ...given, include_usage: true };
}

function changesFor(request: ChatRequest, target: EncodeTarget): MemberChange[] {
  const changes: MemberChange[] = [{ key: 'model', json: JSON.stringify(target.model) }];
  if (target.stream) {
    if (request.body.stream !== true) changes.push({ key: 'stream', json: 'true' });
    const options = streamOptions(request.body);
    if (options !== null) changes.push({ key: 'stream_options', json: JSON.stringify(options) });
  } else if (request.body.stream !== undefined) changes.push({ key: 'stream', json: 'false' });
  return changes;
}

function encodeRequest(request: ChatRequest, target: EncodeTarget): Buffer | string {
  const changes = changesFor(request, target);
  const replays = target.replays ?? [];
  const { messages } = request.body;
  const foreign = Array.isArray(messages) && messages.some((message) => isJsonObject(message) && needsThoughtFields(message, replays));
  if (target.adjust === undefined && request.raw !== undefined && !foreign) return request.raw.splice(changes);
  const body: Record<string, unknown> = { ...request.body };
  for (const { key, json } of changes) body[key] = JSON.parse(json);
  if (foreign) body['messages'] = messages.map((message) => withThoughtFields(message, target));
  return JSON.stringify(target.adjust === undefined ? body : target.adjust(body as JsonObject));
}

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

export const openaiChat: ChatFormat = {
  encodeRequest,
  decodeResponse,
  countsOf: (answer, reading) => readUsage(answer, { reading }),
  decoder,
};
