/** Converts content parts of OpenAI messages to Anthropic blocks. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { EncodeTarget } from '../../../types/wire-format.ts';
import { type InlineData, type PlacedPart, readContent, readDataUrl } from '../../conversation/content-parts.ts';
import { unsupported } from '../../conversation/request-fields.ts';

const pictureTypes: ReadonlySet<string> = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp']);

/** Anthropic's own block types, which a caller may use as parts. */
const anthropicTypes: ReadonlySet<string> = new Set(['document', 'image', 'search_result', 'container_upload', 'tool_reference']);

/** The vendor's cache mark, which stays where the caller put it. */
export function cacheMark(from: Json | undefined): JsonObject {
  const mark = isJsonObject(from) ? from['cache_control'] : undefined;
  return isJsonObject(mark) ? { cache_control: mark } : {};
}

function writeImage(url: string, path: string, target: EncodeTarget): JsonObject {
  const data = readDataUrl(url, `${path}.image_url.url`);
  if (data === undefined) return { type: 'image', source: { type: 'url', url } };
  const mediaType = data.mediaType === 'image/jpg' ? 'image/jpeg' : data.mediaType;
  if (!pictureTypes.has(mediaType)) {
    throw unsupported(target, path, `takes no pictures of type ${mediaType}`, 'Send JPEG, PNG, GIF or WebP.');
  }
  return { type: 'image', source: { type: 'base64', media_type: mediaType, data: data.base64 } };
}

function writeFile(data: InlineData, name: string | undefined, path: string, target: EncodeTarget): JsonObject {
  const title = name === undefined || name === '' ? {} : { title: name };
  if (data.mediaType === 'application/pdf') {
    return { type: 'document', source: { type: 'base64', media_type: data.mediaType, data: data.base64 }, ...title };
  }
  if (data.mediaType.startsWith('text/')) {
    const text = Buffer.from(data.base64, 'base64').toString('utf8');
    return { type: 'document', source: { type: 'text', media_type: 'text/plain', data: text }, ...title };
  }
  throw unsupported(target, path, `takes no files of type ${data.mediaType}`, 'Send a PDF or plain text.');
}

function writePart(part: PlacedPart, target: EncodeTarget): JsonObject {
  switch (part.kind) {
    case 'text':
      return { type: 'text', text: part.text };
    case 'image':
      return writeImage(part.url, part.path, target);
    case 'file':
      return writeFile(part.data, part.name, part.path, target);
    case 'audio':
    case 'video':
      throw unsupported(target, part.path, `takes no ${part.kind}`);
    case 'unknown':
      if (isJsonObject(part.part) && anthropicTypes.has(part.type)) return part.part;
      throw unsupported(target, part.path, `takes no part of type ${part.type}`);
  }
}

/** The blocks of a message's content, with the message's own cache mark on the last one. */
export function writeBlocks(message: JsonObject, path: string, target: EncodeTarget): JsonObject[] {
  const { content } = message;
  const given = Array.isArray(content) ? (content as readonly Json[]) : [];
  const blocks = readContent(content, path).flatMap((part, index) => {
    // Anthropic refuses a text of white space only.
    if (part.kind === 'text' && part.text.trim() === '') return [];
    return [{ ...writePart(part, target), ...cacheMark(given[index]) }];
  });
  return withMark(blocks, message);
}

/** Sets the mark of `from` on the last block, unless that has its own. */
export function withMark(blocks: JsonObject[], from: JsonObject): JsonObject[] {
  const last = blocks.at(-1);
  if (last !== undefined && last['cache_control'] === undefined) blocks[blocks.length - 1] = { ...last, ...cacheMark(from) };
  return blocks;
}
