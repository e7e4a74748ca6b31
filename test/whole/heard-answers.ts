/** What an answer says in each client format, so that the three of them can be compared. Throws where a body breaks its format's contract. */
import { checkCompletion, checkStream, streamChunks } from '../contract/strict-chat.ts';
import { checkMessage, checkMessageStream, messageEvents } from '../contract/strict-messages.ts';
import { checkResponse, checkResponseStream, responseEvents } from '../contract/strict-responses.ts';

// oxlint-disable-next-line no-explicit-any -- reads bodies of every shape
type Loose = any;

export interface HeardAnswer {
  text: string;
  thought: string;
  /** Names and parsed arguments. */
  calls: { readonly name: string; readonly input: unknown }[];
  end: 'stop' | 'length' | 'tool_calls' | 'content_filter';
  /** Input with what was read from or written to a cache, and output. */
  usage: readonly [number, number];
}

export const facePaths = { chat: '/v1/chat/completions', messages: '/v1/messages', responses: '/v1/responses' } as const;
export type Face = keyof typeof facePaths;

const parsed = (text: string): unknown => (text === '' ? {} : JSON.parse(text));

function assertNone(faults: readonly string[]): void {
  if (faults.length > 0) throw new Error(`the contract is broken: ${faults.join('; ')}`);
}

function heardChat(chunks: readonly Loose[]): HeardAnswer {
  const heard: HeardAnswer = { text: '', thought: '', calls: [], end: 'stop', usage: [0, 0] };
  const calls: { name: string; text: string }[] = [];
  for (const { choices, usage } of chunks) {
    for (const { delta, message, finish_reason: reason } of choices) {
      const part = delta ?? message;
      heard.text += part.content ?? '';
      heard.thought += part.reasoning_content ?? '';
      for (const { index, function: called } of part.tool_calls ?? []) {
        const place = index ?? calls.length;
        calls[place] ??= { name: called.name, text: '' };
        calls[place].text += called.arguments ?? '';
      }
      if (reason !== null) heard.end = reason;
    }
    if (usage) heard.usage = [usage.prompt_tokens, usage.completion_tokens];
  }
  heard.calls = calls.map(({ name, text }) => ({ name, input: parsed(text) }));
  return heard;
}

const stopReasons: Readonly<Record<string, HeardAnswer['end']>> = {
  end_turn: 'stop',
  max_tokens: 'length',
  tool_use: 'tool_calls',
  refusal: 'content_filter',
};

function heardMessage({ content, usage, stop_reason: reason }: Loose): HeardAnswer {
  const of = (type: string): Loose[] => content.filter((block: Loose) => block.type === type);
  return {
    text: of('text')
      .map(({ text }) => text)
      .join(''),
    thought: of('thinking')
      .map(({ thinking }) => thinking)
      .join(''),
    calls: of('tool_use').map(({ name, input }) => ({ name, input })),
    end: stopReasons[reason] as HeardAnswer['end'],
    usage: [usage.input_tokens + (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0), usage.output_tokens],
  };
}

/** The message that the events of a stream build. */
function builtMessage(text: string): Loose {
  let message: Loose;
  const json: string[] = [];
  for (const { data } of messageEvents(text)) {
    if (data.type === 'message_start') message = data.message;
    else if (data.type === 'content_block_start') message.content[data.index] = data.content_block;
    else if (data.type === 'content_block_delta') {
      const block = message.content[data.index];
      const { delta } = data;
      if (delta.type === 'text_delta') block.text += delta.text;
      else if (delta.type === 'thinking_delta') block.thinking += delta.thinking;
      else if (delta.type === 'input_json_delta') json[data.index] = (json[data.index] ?? '') + delta.partial_json;
    } else if (data.type === 'message_delta') {
      message.stop_reason = data.delta.stop_reason;
      message.usage = { ...message.usage, ...data.usage };
    }
  }
  for (const [index, each] of json.entries()) if (each !== undefined) message.content[index].input = parsed(each);
  return message;
}

function heardResponse({ output, usage, status, incomplete_details: cut }: Loose): HeardAnswer {
  const of = (type: string): Loose[] => output.filter((item: Loose) => item.type === type);
  const calls = of('function_call').map(({ name, arguments: input }) => ({ name, input: parsed(input) }));
  const ends: Readonly<Record<string, HeardAnswer['end']>> = { max_output_tokens: 'length', content_filter: 'content_filter' };
  const done = calls.length > 0 ? 'tool_calls' : 'stop';
  return {
    text: of('message')
      .flatMap(({ content }) => content.map((part: Loose) => part.text ?? ''))
      .join(''),
    thought: of('reasoning')
      .flatMap(({ content }) => content.map((part: Loose) => part.text))
      .join(''),
    calls,
    end: status === 'completed' ? done : (ends[cut?.reason] as HeardAnswer['end']),
    usage: [usage.input_tokens, usage.output_tokens],
  };
}

export function heardAnswer(face: Face, stream: boolean, body: string): HeardAnswer {
  const whole = stream ? null : JSON.parse(body);
  switch (face) {
    case 'chat':
      assertNone(stream ? checkStream(body, { usage: true }) : checkCompletion(whole));
      return heardChat(stream ? streamChunks(body) : [whole]);
    case 'messages':
      assertNone(stream ? checkMessageStream(body) : checkMessage(whole));
      return heardMessage(stream ? builtMessage(body) : whole);
    case 'responses':
      assertNone(stream ? checkResponseStream(body) : checkResponse(whole));
      return heardResponse(stream ? responseEvents(body).findLast(({ response }) => response !== undefined).response : whole);
    default:
      return face satisfies never;
  }
}
