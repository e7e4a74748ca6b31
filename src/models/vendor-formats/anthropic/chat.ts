/** The chat format of Anthropic's Messages: encodes requests and decodes answers. */
import { claudeTraits } from '../../conversation/claude.ts';
import type { ChatEvent } from '../../../types/chat.ts';
import type { StructuredOutput } from '../../../types/structured-output.ts';
import type { ChatDecoder, ChatFormat, Reading } from '../../../types/wire-format.ts';
import { parseAnswer } from '../../answer-json.ts';
import { createEventSplitter } from '../../server-sent-events.ts';
import { AnswerReader } from './answer-reader.ts';
import { encodeRequest, headers } from './request.ts';

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
      reader.end('closed', events);
      return events;
    },
  };
}

/** Schema support of other models is unknown, so they receive the schema as text. */
const structuredOutput = (model: string): StructuredOutput => (claudeTraits(model).schemas ? 'json_schema' : 'none');

export const anthropicChat: ChatFormat = { encodeRequest, decodeResponse, decoder, headers, structuredOutput, thoughts: true };
