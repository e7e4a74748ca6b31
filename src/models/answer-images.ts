/** Reads pictures of an answer in the forms of all vendors: each becomes a `data:` URL or stays an address. */
import type { ChatEvent } from '../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../types/json.ts';
import { invalidAnswer } from './answer-json.ts';

/** The first characters of a file's base64 text, by media type. */
const signatures: readonly (readonly [beginning: string, mediaType: string])[] = [
  ['iVBORw0KGgo', 'image/png'],
  ['/9j/', 'image/jpeg'],
  ['R0lGOD', 'image/gif'],
  ['UklGR', 'image/webp'],
];

/** The members in which an object holds its picture, in order of preference. */
const places = ['image_url', 'url', 'b64_json', 'data', 'base64', 'image', 'source'];
const mediaTypes = ['media_type', 'mime_type', 'mimeType'];

/** The types of content parts that are pictures. */
const partTypes: ReadonlySet<unknown> = new Set(['image_url', 'image', 'output_image']);

export function imageDataUrl(base64: string, mediaType?: string): string {
  const type = mediaType ?? signatures.find(([beginning]) => base64.startsWith(beginning))?.[1] ?? 'image/png';
  return `data:${type};base64,${base64}`;
}

function urlIn(image: Json | undefined, mediaType?: string): string | undefined {
  if (typeof image === 'string') {
    if (image === '') return undefined;
    return /^(?:data:|https?:\/\/)/i.test(image) ? image : imageDataUrl(image, mediaType);
  }
  if (!isJsonObject(image)) return undefined;
  const named = mediaTypes.map((name) => image[name]).find((value) => typeof value === 'string');
  for (const place of places) {
    const url = urlIn(image[place], typeof named === 'string' ? named : mediaType);
    if (url !== undefined) return url;
  }
  return undefined;
}

/** Throws `upstream_invalid_response` for anything but a picture, so that no answer is silently empty. */
export function readImage(image: Json, choice: number, events: ChatEvent[]): void {
  const url = urlIn(image);
  if (url === undefined) throw invalidAnswer('a picture that cannot be read', JSON.stringify(image));
  events.push({ type: 'image', choice, url });
}

function readMember(images: Json | undefined, choice: number, events: ChatEvent[]): void {
  if (images === undefined || images === null || images === '') return;
  if (Array.isArray(images)) for (const image of images as readonly Json[]) readImage(image, choice, events);
  else readImage(images, choice, events);
}

/** The pictures beside the text of a message or delta, one or a list of them in each member. */
export function readImages(message: JsonObject, choice: number, events: ChatEvent[]): void {
  // Each name is written out: a look-up by a variable name that is absent takes a microsecond.
  readMember(message['images'], choice, events);
  readMember(message['image'], choice, events);
  readMember(message['image_url'], choice, events);
}

export function isImage(image: Json): boolean {
  return urlIn(image) !== undefined;
}

/** The pictures among the content parts. */
export function readImageParts(content: Json | undefined, choice: number, events: ChatEvent[]): void {
  if (!Array.isArray(content)) return;
  for (const part of content as readonly Json[]) if (isJsonObject(part) && partTypes.has(part['type'])) readImage(part, choice, events);
}

/** The media type and base64 text of a `data:` URL; undefined for an address. */
export function dataOf(url: string): { readonly mediaType: string; readonly base64: string } | undefined {
  const found = /^data:([^;,]+)(?:;[^,]*)?;base64,/i.exec(url);
  return found?.[1] === undefined ? undefined : { mediaType: found[1], base64: url.slice(found[0].length) };
}
