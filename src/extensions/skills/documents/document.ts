/** Reads a document that a skill is given (text, Markdown, HTML, PDF or DOCX) as sections with their positions. */
import { GatewayError } from '../../../types/errors.ts';
import { isJsonObject, type JsonObject } from '../../../types/json.ts';
import { readMarkdown } from './formats/markdown.ts';
import type { Waiting } from '../../../scheduling/fair-queue.ts';
import { readInSubprocess, type ReadLimits } from './reader/reader.ts';
import type { Section } from './section.ts';
import { UnreadableDocument } from './document-errors.ts';

/** The part of an input schema for a text or a file. */
export const documentFields: JsonObject = {
  text: { type: 'string', minLength: 1, description: 'The text itself, plain or Markdown.' },
  document: {
    type: 'object',
    description: 'A file: text, Markdown, HTML, PDF or DOCX.',
    properties: {
      name: { type: 'string', maxLength: 500 },
      media_type: { type: 'string', maxLength: 200 },
      base64: { type: 'string', minLength: 1 },
    },
    required: ['base64'],
    additionalProperties: false,
  },
};
export const eitherDocument: JsonObject = { oneOf: [{ required: ['text'] }, { required: ['document'] }] };

const mostBytes = 64 * 1024 * 1024;
const usualLimits: ReadLimits = { seconds: 60, memoryMb: 768 };

/** Turns the fault of an unreadable document into an `invalid_request` that names the input field. */
async function asInvalidRequest(param: string, read: () => Promise<readonly Section[]>): Promise<readonly Section[]> {
  try {
    return await read();
  } catch (thrown) {
    if (!(thrown instanceof UnreadableDocument)) throw thrown;
    throw new GatewayError('invalid_request', `${param} ${thrown.message}.`, { param, cause: thrown });
  }
}

async function readText(text: string, signal: AbortSignal): Promise<readonly Section[]> {
  if (text.trim() === '') throw new UnreadableDocument('is blank');
  return readMarkdown(text, signal);
}

/** Decodes base64, also of a `data:` URL. Node's decoder stops at the first invalid character without an error. */
function bytesOf(given: string): { readonly bytes: Buffer; readonly type: string } {
  const comma = given.startsWith('data:') ? given.indexOf(',') : -1;
  const head = given.slice(0, comma + 1);
  if (head.length > 500 || (head !== '' && !head.endsWith(';base64,')))
    throw new UnreadableDocument('is not base64; a data: URL must contain base64');
  const digits = given.slice(head.length).replaceAll(/\s+/g, '');
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(digits)) throw new UnreadableDocument('is not base64; encode the whole file at once');
  return { bytes: Buffer.from(digits, 'base64'), type: head.slice('data:'.length, -';base64,'.length).split(';')[0] ?? '' };
}

async function readGivenFile(given: JsonObject, waiting: Waiting, limits: ReadLimits): Promise<readonly Section[]> {
  const string = (field: string): string => (typeof given[field] === 'string' ? given[field] : '');
  const { bytes, type } = bytesOf(string('base64'));
  if (bytes.length === 0) throw new UnreadableDocument('is empty');
  if (bytes.length > mostBytes) throw new UnreadableDocument(`is larger than ${mostBytes} bytes`);
  return readInSubprocess({ bytes, name: string('name'), type: string('media_type') || type }, limits, waiting);
}

/** The sections of the input's `text` or `document`. Throws `invalid_request` for an unreadable one. */
export async function readInputDocument(
  { text, document }: JsonObject,
  waiting: Waiting,
  limits: Partial<ReadLimits> = {},
): Promise<readonly Section[]> {
  if (typeof text === 'string') return asInvalidRequest('input.text', async () => readText(text, waiting.signal));
  const given = isJsonObject(document) ? document : {};
  return asInvalidRequest('input.document', async () => readGivenFile(given, waiting, { ...usualLimits, ...limits }));
}
