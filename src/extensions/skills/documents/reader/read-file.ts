/** Reads a file of any supported format as sections. */
import { readDocx } from '../formats/docx.ts';
import { type DocumentFile, detectFormat, type DetectedFormat } from '../formats/detect-format.ts';
import { readHtml } from '../formats/html.ts';
import { readMarkdown } from '../formats/markdown.ts';
import { readPdf } from '../formats/pdf.ts';
import type { Section } from '../section.ts';
import { damaged, UnreadableDocument } from '../document-errors.ts';

const tooMuch = /allocation failed|Invalid (array|string|typed array) length|Invalid array buffer length|maximum size exceeded/i;

async function sectionsOf(file: DocumentFile, recognised: DetectedFormat): Promise<readonly Section[]> {
  switch (recognised.format) {
    case 'pdf':
      return readPdf(file.bytes);
    case 'docx':
      return readDocx(file.bytes);
    case 'html':
      return readHtml(recognised.text);
    case 'text':
      return readMarkdown(recognised.text);
  }
}

/** The error of a parser as a sentence. */
export function faultOf(thrown: unknown, format: string | null = null): UnreadableDocument {
  if (thrown instanceof UnreadableDocument) return thrown;
  const cause = thrown instanceof Error ? thrown : new Error(String(thrown));
  if (cause instanceof RangeError && tooMuch.test(cause.message))
    return new UnreadableDocument('is too large when unpacked; send it in parts, or as plain text', { cause });
  if (cause instanceof RangeError && /call stack/i.test(cause.message))
    return new UnreadableDocument('is nested too deeply to be read; send it as plain text', { cause });
  return damaged(format, cause);
}

/** Throws `UnreadableDocument` for an unreadable file. */
export async function readFile(file: DocumentFile): Promise<readonly Section[]> {
  const recognised = detectFormat(file);
  let sections: readonly Section[];
  try {
    sections = await sectionsOf(file, recognised);
  } catch (thrown) {
    throw faultOf(thrown, recognised.format);
  }
  if (sections.length === 0) throw new UnreadableDocument('holds no text; if it is scanned, run OCR on it first');
  return sections;
}
