/** Reads one answer as clients of the three formats do, streamed and whole. */
import { createChunkEmitter } from '../../src/models/client-formats/chat-completions/emitter.ts';
import { createMessageEmitter } from '../../src/models/client-formats/messages/emitter.ts';
import { createResponseEmitter } from '../../src/models/client-formats/responses/emitter.ts';
import { readResponsesRequest } from '../../src/models/client-formats/responses/request.ts';
import type { ChatEvent } from '../../src/types/chat.ts';
import type { Content } from './random-answer.ts';
import { collectCompletion, collectMessage, collectResponse } from '../models/client-formats/collect.ts';

/** The parts of an answer as a client collects them. */
type Gathered = { -readonly [K in keyof Content]: Content[K] extends string ? string : string[] };
const nothing = (): Gathered => ({ text: '', thoughts: '', calls: [], images: [], citations: [] });

// oxlint-disable-next-line no-explicit-any -- tests look into bodies of every shape
type Data = any;
const dataOf = (stream: string): Data[] =>
  stream
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice(6)));

async function* oneByOne(events: readonly ChatEvent[]): AsyncGenerator<readonly ChatEvent[]> {
  for (const event of events) yield [event];
}

const common = { created: 1, model: 'public', reasoning: true };
const { echo } = readResponsesRequest({ model: 'm', input: 'Hi' });
const chatOptions = { ...common, id: 'chatcmpl-1' };
const messageOptions = { ...common, id: 'msg_1', mcpBlocks: false, estimatedInput: () => 1 };
const responseOptions = { ...common, id: `resp_${'a'.repeat(32)}`, echo, summary: false, encrypted: false, onComplete: () => {} };

function takeChat(into: Gathered, message: Data): void {
  into.text += message.content ?? '';
  into.thoughts += message.reasoning_content ?? '';
  for (const image of message.images ?? []) into.images.push(image.image_url.url);
  for (const { url_citation: cited } of message.annotations ?? []) into.citations.push(cited.url);
}

function readChat(events: readonly ChatEvent[]): Content {
  const into = nothing();
  const calls: { name: string; text: string }[] = [];
  const emitter = createChunkEmitter({ ...chatOptions, includeUsage: true });
  for (const chunk of dataOf(events.map((event) => emitter.write([event])).join(''))) {
    for (const { delta } of chunk.choices) {
      takeChat(into, delta);
      for (const call of delta.tool_calls ?? []) {
        if (call.id !== undefined) calls[call.index] = { name: call.function.name, text: '' };
        const known = calls[call.index];
        if (known !== undefined) known.text += call.function.arguments;
      }
    }
  }
  into.calls = calls.map(({ name, text }) => `${name}(${text})`);
  return into;
}

async function readWholeChat(events: readonly ChatEvent[]): Promise<Content> {
  const into = nothing();
  const { message } = JSON.parse(await collectCompletion(oneByOne(events), chatOptions)).choices[0];
  takeChat(into, message);
  for (const { function: each } of message.tool_calls ?? []) into.calls.push(`${each.name}(${each.arguments})`);
  return into;
}

/** Citations without a field in this format follow the text as links. */
const link = /\[T\]\((https:\/\/example\.com\/\d+)\)/g;

function takeBlocks(blocks: readonly Data[]): Content {
  const into = nothing();
  for (const block of blocks) {
    if (block.type === 'text') {
      into.text += block.text.replaceAll(link, '');
      for (const [, url] of block.text.matchAll(link)) into.citations.push(url);
    }
    for (const { url } of block.citations ?? []) into.citations.push(url);
    if (block.type === 'thinking') into.thoughts += block.thinking;
    if (block.type === 'tool_use') into.calls.push(`${block.name}(${JSON.stringify(block.input)})`);
    if (block.type === 'image') into.images.push(`data:${block.source.media_type};base64,${block.source.data}`);
  }
  // A link is also a citation of its own text.
  into.citations = [...new Set(into.citations)];
  return into;
}

function readMessages(events: readonly ChatEvent[]): Content {
  const emitter = createMessageEmitter(messageOptions);
  const blocks: Data[] = [];
  for (const event of dataOf(events.map((each) => emitter.write([each])).join(''))) {
    if (event.type === 'content_block_start') blocks[event.index] = { ...event.content_block, json: '' };
    const block = blocks[event.index];
    const { delta } = event;
    if (delta?.type === 'text_delta') block.text += delta.text;
    if (delta?.type === 'thinking_delta') block.thinking += delta.thinking;
    if (delta?.type === 'input_json_delta') block.json += delta.partial_json;
    if (delta?.type === 'citations_delta') block.citations = [...(block.citations ?? []), delta.citation];
    if (event.type === 'content_block_stop' && block.json !== '') block.input = JSON.parse(block.json);
  }
  return takeBlocks(blocks);
}

const readWholeMessages = async (events: readonly ChatEvent[]): Promise<Content> =>
  takeBlocks(JSON.parse(await collectMessage(oneByOne(events), messageOptions)).content);

function takeItems(output: readonly Data[]): Content {
  const into = nothing();
  for (const item of output) {
    if (item.type === 'message')
      for (const part of item.content) {
        into.text += part.text ?? '';
        for (const { url } of part.annotations ?? []) into.citations.push(url);
      }
    if (item.type === 'reasoning') for (const part of item.content ?? []) into.thoughts += part.text;
    if (item.type === 'function_call') into.calls.push(`${item.name}(${item.arguments})`);
    if (item.type === 'image_generation_call') into.images.push(`data:image/${item.output_format};base64,${item.result}`);
  }
  return into;
}

function readResponses(events: readonly ChatEvent[]): Content {
  const emitter = createResponseEmitter(responseOptions);
  const streamed = dataOf(events.map((event) => emitter.write([event])).join(''));
  const items = streamed.filter(({ type }) => type === 'response.output_item.done').map(({ item }) => item);
  const deltas = streamed.map((each) => (each.type === 'response.output_text.delta' ? each.delta : '')).join('');
  const into = takeItems(items);
  return { ...into, text: deltas };
}

const readWholeResponses = async (events: readonly ChatEvent[]): Promise<Content> =>
  takeItems(JSON.parse(await collectResponse(oneByOne(events), responseOptions)).output);

/** The content by client format. */
export async function readAll(events: readonly ChatEvent[]): Promise<Readonly<Record<string, Content>>> {
  return {
    'chat completions, streamed': readChat(events),
    'chat completions, whole': await readWholeChat(events),
    'messages, streamed': readMessages(events),
    'messages, whole': await readWholeMessages(events),
    'responses, streamed': readResponses(events),
    'responses, whole': await readWholeResponses(events),
  };
}
