/** The chat format of Bedrock's Converse and ConverseStream: encodes requests and decodes answers. */
import { claudeTraits } from '../../conversation/claude.ts';
import type { ChatEvent } from '../../../types/chat.ts';
import type { StructuredOutput } from '../../../types/structured-output.ts';
import type { ChatDecoder, ChatFormat, EncodeTarget, Reading } from '../../../types/wire-format.ts';
import { parseAnswer } from '../../answer-json.ts';
import { AnswerReader } from './answer-reader.ts';
import { createFrameSplitter } from './frames.ts';
import { encodeRequest } from './request.ts';
import { readUsage } from './usage.ts';

function decodeResponse(body: Buffer, reading?: Reading): ChatEvent[] {
  const events: ChatEvent[] = [];
  new AnswerReader(reading).readWhole(parseAnswer(body.toString('utf8')), events);
  return events;
}

function decoder(reading?: Reading): ChatDecoder {
  const splitter = createFrameSplitter();
  const reader = new AnswerReader(reading);
  return {
    push(bytes) {
      const events: ChatEvent[] = [];
      for (const frame of splitter.push(bytes)) if (!reader.ended) reader.read(frame, events);
      return events;
    },
    get progress() {
      return reader.progress;
    },
    end() {
      const events: ChatEvent[] = [];
      reader.end('closed', events);
      return events;
    },
  };
}

function headers(target: EncodeTarget): Readonly<Record<string, string>> {
  return { accept: target.stream ? 'application/vnd.amazon.eventstream' : 'application/json' };
}

/** Older Claude models have no schema support. The catalogue knows it for other models. */
function structuredOutput(model: string): StructuredOutput | undefined {
  const { isClaude, schemas } = claudeTraits(model);
  return isClaude ? (schemas ? 'json_schema' : 'none') : undefined;
}

export const bedrockChat: ChatFormat = {
  encodeRequest,
  decodeResponse,
  countsOf: (answer) => readUsage(answer['usage']),
  decoder,
  headers,
  structuredOutput,
  pictures: 'bytes',
  thoughts: true,
};
