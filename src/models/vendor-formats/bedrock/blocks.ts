/** Converts content parts of OpenAI messages to Converse blocks. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { EncodeTarget } from '../../../types/wire-format.ts';
import { type InlineData, type PlacedPart, readContent, readDataUrl } from '../../conversation/content-parts.ts';
import { unsupported } from '../../conversation/request-fields.ts';

const pictures: Readonly<Record<string, string>> = {
  'image/png': 'png',
  'image/jpeg': 'jpeg',
  'image/jpg': 'jpeg',
  'image/gif': 'gif',
  'image/webp': 'webp',
};
const documents: Readonly<Record<string, string>> = {
  'application/pdf': 'pdf',
  'application/msword': 'doc',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'application/vnd.ms-excel': 'xls',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
  'text/csv': 'csv',
  'text/html': 'html',
  'text/markdown': 'md',
  'text/plain': 'txt',
};
const videos: Readonly<Record<string, string>> = {
  'video/mp4': 'mp4',
  'video/quicktime': 'mov',
  'video/x-matroska': 'mkv',
  'video/webm': 'webm',
  'video/x-flv': 'flv',
  'video/mpeg': 'mpeg',
  'video/x-ms-wmv': 'wmv',
  'video/3gpp': 'three_gp',
};
const sounds: Readonly<Record<string, string>> = {
  'audio/mpeg': 'mp3',
  'audio/wav': 'wav',
  'audio/flac': 'flac',
  'audio/ogg': 'ogg',
  'audio/opus': 'opus',
  'audio/webm': 'webm',
  'audio/aac': 'aac',
};

function formatOf(known: Readonly<Record<string, string>>, data: InlineData, what: string, path: string, target: EncodeTarget): string {
  const format = known[data.mediaType];
  if (format !== undefined) return format;
  throw unsupported(target, path, `takes no ${what} of type ${data.mediaType}`, `Send ${[...new Set(Object.values(known))].join(', ')}.`);
}

/** The caller's file name in the character set that Bedrock allows. */
function documentName(name: string | undefined): string {
  const plain = (name ?? '').replace(/\.[a-z0-9]{1,5}$/i, '').replace(/[^a-zA-Z0-9\-()[\] ]+/g, '-');
  return (
    plain
      .replace(/\s+/g, ' ')
      .replace(/^-+|-+$/g, '')
      .trim()
      .slice(0, 200) || 'document'
  );
}

function inline(url: string, what: string, path: string, target: EncodeTarget): InlineData {
  const data = readDataUrl(url, path);
  if (data !== undefined) return data;
  throw unsupported(target, path, `takes no ${what} by address`, 'Send it as a data: URL.');
}

/** Converse blocks have no type. A block that the caller wrote in this form has the name of its kind as key. */
const blockKinds: readonly string[] = ['image', 'document', 'video', 'audio', 'guardContent', 'cachePoint', 'searchResult'];

function writePart(part: PlacedPart, target: EncodeTarget): JsonObject {
  const { path } = part;
  switch (part.kind) {
    case 'text':
      return { text: part.text };
    case 'image': {
      const data = inline(part.url, 'pictures', `${path}.image_url.url`, target);
      return { image: { format: formatOf(pictures, data, 'pictures', path, target), source: { bytes: data.base64 } } };
    }
    case 'video': {
      if (part.url.startsWith('s3://')) return { video: { format: 'mp4', source: { s3Location: { uri: part.url } } } };
      const data = inline(part.url, 'videos', `${path}.video_url.url`, target);
      return { video: { format: formatOf(videos, data, 'videos', path, target), source: { bytes: data.base64 } } };
    }
    case 'audio':
      return { audio: { format: formatOf(sounds, part.data, 'sounds', path, target), source: { bytes: part.data.base64 } } };
    case 'file': {
      const format = formatOf(documents, part.data, 'files', path, target);
      return { document: { format, name: documentName(part.name), source: { bytes: part.data.base64 } } };
    }
    case 'unknown': {
      const given = part.part;
      if (isJsonObject(given) && given['type'] === undefined && blockKinds.some((kind) => isJsonObject(given[kind]))) return given;
      throw unsupported(target, path, `takes no part of type ${part.type}`);
    }
  }
}

/** A cache point, which is a separate block here and follows the marked one. */
export function cachePoint(from: Json | undefined): JsonObject[] {
  const mark = isJsonObject(from) ? from['cache_control'] : undefined;
  if (!isJsonObject(mark)) return [];
  return [{ cachePoint: { type: 'default', ...(typeof mark['ttl'] === 'string' ? { ttl: mark['ttl'] } : {}) } }];
}

/** The blocks of a message's content, each followed by its cache point. That of the message is last. */
export function writeBlocks(message: JsonObject, path: string, target: EncodeTarget): JsonObject[] {
  const { content } = message;
  const given = Array.isArray(content) ? (content as readonly Json[]) : [];
  const blocks = readContent(content, path).flatMap((part, index) => {
    // Bedrock refuses a blank text.
    if (part.kind === 'text' && part.text.trim() === '') return [];
    return [writePart(part, target), ...cachePoint(given[index])];
  });
  return blocks.length === 0 || blocks.at(-1)?.['cachePoint'] !== undefined ? blocks : [...blocks, ...cachePoint(message)];
}
