/** Converts Anthropic's content blocks to OpenAI's parts: texts, pictures, documents, search results. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { invalid, type Losses } from './translation-losses.ts';

const filesAtAnthropic = 'access to files that lie at Anthropic';

/** The type of a value, sanitized for an error message. */
export function typeName(type: Json | undefined): string {
  return typeof type === 'string' ? type.slice(0, 60) : 'an unknown kind';
}

/** The mark for a vendor's cache, which stays on the part. */
export function cacheControl(block: JsonObject): JsonObject {
  const mark = block['cache_control'];
  return isJsonObject(mark) ? { cache_control: mark } : {};
}

function text(block: JsonObject, texts: string): JsonObject {
  return { type: 'text', text: texts, ...cacheControl(block) };
}

function required(source: JsonObject, key: string, path: string): string {
  const value = source[key];
  if (typeof value !== 'string' || value === '') throw invalid(`${path}.${key}`, 'is missing or not a text.');
  return value;
}

function sourceOf(block: JsonObject, path: string): JsonObject {
  const { source } = block;
  if (!isJsonObject(source)) throw invalid(`${path}.source`, 'must be an object with a type.');
  return source;
}

function dataUrl(source: JsonObject, path: string): string {
  return `data:${required(source, 'media_type', path)};base64,${required(source, 'data', path)}`;
}

function readImage(block: JsonObject, path: string, losses: Losses): JsonObject[] {
  const source = sourceOf(block, path);
  const place = `${path}.source`;
  if (isJsonObject(block['transformations'])) losses.leaveOut('transformations');
  switch (source['type']) {
    case 'base64':
      return [{ type: 'image_url', image_url: { url: dataUrl(source, place) }, ...cacheControl(block) }];
    case 'url':
      return [{ type: 'image_url', image_url: { url: required(source, 'url', place) }, ...cacheControl(block) }];
    default:
      losses.demand(place, filesAtAnthropic);
      return [];
  }
}

function joinTexts(texts: readonly (Json | undefined)[], separator: string): string {
  return texts.filter((each): each is string => typeof each === 'string' && each !== '').join(separator);
}

/** The text of a document after its title and context. */
function titled(block: JsonObject, texts: string): string {
  return joinTexts([block['title'], block['context'], texts], '\n\n');
}

function readDocument(block: JsonObject, path: string, losses: Losses): JsonObject[] {
  const source = sourceOf(block, path);
  const place = `${path}.source`;
  if (wantsCitations(block)) losses.demand(`${path}.citations`, 'citations of documents');
  switch (source['type']) {
    case 'base64': {
      const name = typeof block['title'] === 'string' && block['title'] !== '' ? block['title'] : 'document.pdf';
      const file: JsonObject = { type: 'file', file: { filename: name, file_data: dataUrl(source, place) }, ...cacheControl(block) };
      const context = block['context'];
      return typeof context === 'string' && context !== '' ? [{ type: 'text', text: context }, file] : [file];
    }
    case 'text':
      return [text(block, titled(block, required(source, 'data', place)))];
    case 'content': {
      const { content } = source;
      if (typeof content === 'string') return [text(block, titled(block, content))];
      const parts = readParts(content, `${place}.content`, losses);
      const heading = titled(block, '').trim();
      return heading === '' ? parts : [{ type: 'text', text: heading }, ...parts];
    }
    case 'url':
      losses.demand(place, 'documents by address');
      return [];
    default:
      losses.demand(place, filesAtAnthropic);
      return [];
  }
}

function wantsCitations(block: JsonObject): boolean {
  return isJsonObject(block['citations']) && block['citations']['enabled'] === true;
}

function readSearchResult(block: JsonObject, path: string, losses: Losses): JsonObject[] {
  if (wantsCitations(block)) losses.demand(`${path}.citations`, 'citations of search results');
  const texts = readParts(block['content'], `${path}.content`, losses).map((part) => part['text']);
  return [text(block, joinTexts([block['title'], block['source'], ...texts], '\n'))];
}

/** The parts of one block; undefined for a block of another type. Content that only Anthropic supports is recorded as a demand. */
function readPart(block: JsonObject, path: string, losses: Losses): JsonObject[] | undefined {
  switch (block['type']) {
    case 'text':
      if (typeof block['text'] !== 'string') throw invalid(`${path}.text`, 'must be a text.');
      return [text(block, block['text'])];
    case 'image':
      return readImage(block, path, losses);
    case 'document':
      return readDocument(block, path, losses);
    case 'search_result':
      return readSearchResult(block, path, losses);
    // A tool that a search of the client has found. It is offered already.
    case 'tool_reference':
      return [text(block, `Found the tool ${typeof block['tool_name'] === 'string' ? block['tool_name'] : ''}.`)];
    default:
      return undefined;
  }
}

/** The objects of a list, each with a type. Throws for anything else. */
export function blocksIn(content: Json | undefined, path: string): readonly JsonObject[] {
  if (!Array.isArray(content)) throw invalid(path, 'must be a text or a list of blocks.');
  content.forEach((block: Json, index) => {
    if (!isJsonObject(block) || typeof block['type'] !== 'string') throw invalid(`${path}[${index}]`, 'must be an object with a type.');
  });
  return content as readonly JsonObject[];
}

/** The parts of a block that must be of these types. Another type is recorded as a demand: only Anthropic knows it. */
export function readOrDemand(block: JsonObject, path: string, losses: Losses): JsonObject[] {
  const parts = readPart(block, path, losses);
  if (parts === undefined) losses.demand(path, `content of type ${typeName(block['type'])}`);
  return parts ?? [];
}

/** The parts of a block in an earlier answer. What Anthropic ran for it is left out: the text after it tells what came of it. */
export function readOrLeaveOut(block: JsonObject, path: string, losses: Losses): JsonObject[] {
  // The summary in the place of an earlier conversation.
  if (block['type'] === 'compaction' && typeof block['content'] === 'string') return [text(block, block['content'])];
  const parts = readPart(block, path, losses);
  if (parts === undefined) losses.leaveOut(`content.${typeName(block['type'])}`);
  return parts ?? [];
}

/** The parts of a text or a list of blocks. */
export function readParts(content: Json | undefined, path: string, losses: Losses): JsonObject[] {
  if (content === undefined || content === null) return [];
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }];
  return blocksIn(content, path).flatMap((block, index) => readOrDemand(block, `${path}[${index}]`, losses));
}
