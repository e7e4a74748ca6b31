/** Reads Word documents by converting them to HTML. */
import { UnreadableDocument } from '../document-errors.ts';
import type { Section } from '../section.ts';
import { besidePages, mainPart, type Parts, readyParts } from './docx-parts.ts';
import { readHtml } from './html.ts';

/** The limit for unpacked XML: a small file can expand to a very large one. */
const mostUnpacked = 64 * 1024 * 1024;

/** Other zip-based formats, by their content. */
function otherThan(names: readonly string[]): string {
  if (names.some((name) => name.startsWith('xl/'))) return 'is an Excel workbook; save each sheet as CSV';
  if (names.some((name) => name.startsWith('ppt/'))) return 'is a presentation; save it as PDF';
  if (names.includes('content.xml')) return 'is an OpenDocument file; save it as .docx or PDF';
  return 'is a zip file, but no Word document (.docx)';
}

/** Unpacks the text parts and counts their bytes; the sizes in the zip are untrusted. Images stay packed. */
async function textParts(bytes: Buffer): Promise<Record<string, Uint8Array>> {
  const { fromBufferPromise } = await import('yauzl');
  const zip = await fromBufferPromise(bytes, { lazyEntries: true, validateEntrySizes: false });
  const found: Record<string, Uint8Array> = {};
  let unpacked = 0;
  for await (const entry of zip.eachEntry()) {
    if (!/\.(xml|rels)$/i.test(entry.fileName)) continue;
    const parts: Buffer[] = [];
    for await (const part of (await zip.openReadStreamPromise(entry)) as AsyncIterable<Buffer>) {
      unpacked += part.length;
      if (unpacked > mostUnpacked)
        throw new UnreadableDocument(`is larger than ${mostUnpacked / 1_048_576} MB when unpacked; send it in parts, or as plain text`);
      parts.push(part);
    }
    found[entry.fileName] = Buffer.concat(parts);
  }
  return found;
}

/** The parts with text, without duplicates: first-page headers often repeat. */
async function readBeside(parts: Parts, what: 'header' | 'footer'): Promise<readonly Section[]> {
  const found = new Map<string, Section>();
  for (const each of besidePages(parts, what)) {
    const text = (await readBody(each)).map((section) => section.text).join('\n\n');
    if (text !== '') found.set(text, { heading: what, page: null, text });
  }
  return [...found.values()];
}

async function readBody(parts: Parts): Promise<readonly Section[]> {
  const { zipSync } = await import('fflate');
  const { default: mammoth } = await import('mammoth');
  const { value } = await mammoth.convertToHtml(
    { buffer: Buffer.from(zipSync({ ...parts }, { level: 0 })) },
    { convertImage: mammoth.images.imgElement(async () => ({ src: '' })) },
  );
  return readHtml(value);
}

export async function readDocx(bytes: Buffer): Promise<readonly Section[]> {
  const parts = await textParts(bytes);
  const names = Object.keys(parts);
  if (!names.some((name) => /^word\/[^/]+\.xml$/.test(name))) throw new UnreadableDocument(otherThan(names));
  const body = await readBody(readyParts(parts, mainPart));
  return [...(await readBeside(parts, 'header')), ...body, ...(await readBeside(parts, 'footer'))];
}
