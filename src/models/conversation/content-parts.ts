/** Reads the content of a message part by part into forms that every vendor format can write. */
import { GatewayError } from '../../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../types/json.ts';

/** Bytes embedded in the request. */
export interface InlineData {
  /** In lower case, without parameters, e.g. `image/png`. */
  readonly mediaType: string;
  readonly base64: string;
}

export type ContentPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'image'; readonly url: string }
  | { readonly kind: 'video'; readonly url: string }
  | { readonly kind: 'audio'; readonly data: InlineData }
  | { readonly kind: 'file'; readonly data: InlineData; readonly name: string | undefined }
  | { readonly kind: 'unknown'; readonly type: string; readonly part: Json };

/** A part and its path, for errors. */
export type PlacedPart = ContentPart & { readonly path: string };

const audioTypes: Readonly<Record<string, string>> = { mp3: 'audio/mpeg', wav: 'audio/wav', pcm16: 'audio/pcm' };

/** The bytes of a `data:` URL; undefined for another URL. Throws unless it is in base64. */
export function readDataUrl(url: string, path: string): InlineData | undefined {
  if (!/^data:/i.test(url)) return undefined;
  const comma = url.indexOf(',');
  const head = url.slice(5, comma === -1 ? 5 : comma).split(';');
  if (comma === -1 || head.at(-1)?.trim().toLowerCase() !== 'base64') {
    throw new GatewayError('invalid_request', `${path}: a data: URL must be in base64, such as data:image/png;base64,iVBORw0…`, {
      param: path,
    });
  }
  return { mediaType: head[0]?.trim().toLowerCase() || 'application/octet-stream', base64: url.slice(comma + 1).replace(/\s+/g, '') };
}

function malformed(path: string, what: string): GatewayError {
  return new GatewayError('invalid_request', `${path}: ${what}`, { param: path });
}

function urlIn(part: JsonObject, key: string, path: string): string {
  const value = part[key];
  const url = isJsonObject(value) ? value['url'] : value;
  if (typeof url !== 'string' || url === '') throw malformed(`${path}.${key}.url`, 'must be an address or a data: URL.');
  return url;
}

function readAudio(part: JsonObject, path: string): ContentPart {
  const audio = part['input_audio'];
  const data = isJsonObject(audio) ? audio['data'] : undefined;
  if (!isJsonObject(audio) || typeof data !== 'string' || data === '')
    throw malformed(`${path}.input_audio.data`, 'must be the sound in base64.');
  const inline = readDataUrl(data, `${path}.input_audio.data`);
  const format = typeof audio['format'] === 'string' ? audio['format'].toLowerCase() : 'wav';
  return { kind: 'audio', data: inline ?? { mediaType: audioTypes[format] ?? `audio/${format}`, base64: data } };
}

function readFile(part: JsonObject, path: string): ContentPart {
  const file = part['file'];
  const data = isJsonObject(file) ? file['file_data'] : undefined;
  // A file stored at the vendor, by the vendor's id.
  if (!isJsonObject(file) || typeof data !== 'string') return { kind: 'unknown', type: 'file', part };
  const name = typeof file['filename'] === 'string' ? file['filename'] : undefined;
  const inline = readDataUrl(data, `${path}.file.file_data`) ?? { mediaType: 'application/pdf', base64: data };
  return { kind: 'file', data: inline, name };
}

function readPart(part: Json, path: string): ContentPart {
  if (typeof part === 'string') return { kind: 'text', text: part };
  if (!isJsonObject(part)) throw malformed(path, 'must be an object with a type.');
  switch (part['type']) {
    case 'text':
      return { kind: 'text', text: typeof part['text'] === 'string' ? part['text'] : '' };
    case 'refusal':
      return { kind: 'text', text: typeof part['refusal'] === 'string' ? part['refusal'] : '' };
    case 'image_url':
      return { kind: 'image', url: urlIn(part, 'image_url', path) };
    case 'video_url':
      return { kind: 'video', url: urlIn(part, 'video_url', path) };
    case 'input_audio':
      return readAudio(part, path);
    case 'file':
      return readFile(part, path);
    default:
      return { kind: 'unknown', type: typeof part['type'] === 'string' ? part['type'] : 'without a type', part };
  }
}

/** The parts of `content`; none for null. `path`: the path of the message, e.g. `messages[0]`. */
export function readContent(content: Json | undefined, path: string): PlacedPart[] {
  if (content === undefined || content === null) return [];
  if (typeof content === 'string') return content === '' ? [] : [{ kind: 'text', text: content, path: `${path}.content` }];
  if (!Array.isArray(content)) throw malformed(`${path}.content`, 'must be a text or a list of parts.');
  return content.map((part: Json, index) => {
    const place = `${path}.content[${index}]`;
    return { ...readPart(part, place), path: place };
  });
}

/** All text of `parts`, or the first part that is not text. */
export function onlyText(parts: readonly PlacedPart[]): { readonly text: string; readonly other: PlacedPart | undefined } {
  let text = '';
  for (const part of parts) {
    if (part.kind !== 'text') return { text, other: part };
    text += part.text;
  }
  return { text, other: undefined };
}
