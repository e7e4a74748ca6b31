/** A document that a skill is given: text, Markdown, HTML, PDF or DOCX, as sections of text with where they stand. */
import { GatewayError } from '../../../types/errors.ts';
import { isJsonObject, type JsonObject } from '../../../types/json.ts';
import { readDocx } from './docx.ts';
import { readHtml } from './html.ts';
import { readMarkdown } from './markdown.ts';
import { readPdf } from './pdf.ts';
import type { Section } from './section.ts';

/** Part of an input schema: a text, or a file. */
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

type Format = 'pdf' | 'docx' | 'html' | 'text';

/** By its first bytes, for names and types are what somebody wrote. */
function formatOf(bytes: Buffer, name: string, type: string): Format {
  if (bytes.subarray(0, 1024).includes('%PDF-')) return 'pdf';
  if (bytes.subarray(0, 4).equals(Buffer.from([0x50, 0x4b, 3, 4]))) return 'docx';
  const start = bytes.subarray(0, 2_000).toString('utf8').trimStart();
  if (/html/i.test(type) || /\.x?html?$/i.test(name) || /^<(!doctype html|html|head|body)\b/i.test(start)) return 'html';
  return 'text';
}

function refuse(sentence: string, cause?: unknown): GatewayError {
  return new GatewayError('invalid_request', `input.document ${sentence}.`, { param: 'input.document', cause });
}

function textOf(bytes: Buffer): string {
  try {
    return new TextDecoder(bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : 'utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw refuse('is no text that could be read (UTF-8), and no PDF, DOCX or HTML either');
  }
}

/** The sections of what the input holds under `text` or `document`. Throws `invalid_request` for what cannot be read. */
export async function readInputDocument(input: JsonObject, signal: AbortSignal): Promise<readonly Section[]> {
  const { text, document } = input;
  if (typeof text === 'string') return readMarkdown(text);
  const given = isJsonObject(document) ? document : {};
  const bytes = Buffer.from(typeof given['base64'] === 'string' ? given['base64'] : '', 'base64');
  if (bytes.length === 0) throw refuse('is empty, or its base64 cannot be read');
  if (bytes.length > mostBytes) throw refuse(`is larger than ${mostBytes} bytes`);
  const name = typeof given['name'] === 'string' ? given['name'] : '';
  const type = typeof given['media_type'] === 'string' ? given['media_type'] : '';
  const format = formatOf(bytes, name, type);
  let sections: readonly Section[];
  try {
    if (format === 'pdf') sections = await readPdf(bytes, signal);
    else if (format === 'docx') sections = await readDocx(bytes);
    else sections = format === 'html' ? await readHtml(textOf(bytes)) : readMarkdown(textOf(bytes));
  } catch (thrown) {
    if (thrown instanceof GatewayError) throw thrown;
    signal.throwIfAborted();
    throw refuse(`cannot be read as ${format.toUpperCase()}: it is damaged, or protected by a password`, thrown);
  }
  if (sections.every((section) => section.text.trim() === ''))
    throw refuse('holds no text; if it is scanned, let a program recognise its letters first');
  return sections;
}
