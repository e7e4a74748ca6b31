/** Detects the format of a file by its first bytes. Name and media type count only where the bytes are ambiguous. */
import { UnreadableDocument } from '../document-errors.ts';
import { textOf } from './charset.ts';

export interface DocumentFile {
  readonly bytes: Buffer;
  readonly name: string;
  readonly type: string;
}
export type DetectedFormat = { readonly format: 'pdf' | 'docx' } | { readonly format: 'html' | 'text'; readonly text: string };

/** Unsupported formats that people send, with the remedy. */
const others: readonly (readonly [RegExp, string])[] = [
  // Word stores encrypted documents in its legacy container.
  [/^\xd0\xcf[^]\xe0\xa1\xb1/, 'is an old Office file (.doc, .xls), or a new one with a password; save it as .docx without one'],
  [/^\{\\rtf/, 'is RTF; save it as .docx, PDF or plain text'],
  [/^(\x89PNG|\xff\xd8\xff|GIF8|II\*\0|MM\0\*|RIFF[^]{4}WEBP)/, 'is a picture; run OCR on it first'],
];

/** True for text that begins like HTML, after comments and XML declarations. */
function beginsAsHtml(text: string): boolean {
  const space = /\s*/y;
  for (let at = 0; ;) {
    space.lastIndex = at;
    space.exec(text);
    at = space.lastIndex;
    const end = text.startsWith('<!--', at) ? '-->' : text.startsWith('<?', at) ? '?>' : null;
    if (end === null) return /^<(!doctype\s+html|html|head|body)\b/i.test(text.slice(at, at + 200));
    const found = text.indexOf(end, at + 2);
    if (found === -1) return false;
    at = found + end.length;
  }
}

/** Throws `UnreadableDocument` for an unsupported format. */
export function detectFormat({ bytes, name, type }: DocumentFile): DetectedFormat {
  const saysPdf = /\bpdf\b/i.test(type) || /\.pdf$/i.test(name);
  const start = bytes.subarray(0, 1_024);
  if (/^(\u00ef\u00bb\u00bf)?\s*%PDF-/.test(start.toString('latin1')) || (saysPdf && start.includes('%PDF-'))) return { format: 'pdf' };
  if (start.subarray(0, 4).equals(Buffer.from([0x50, 0x4b, 3, 4]))) return { format: 'docx' };
  const other = others.find(([pattern]) => pattern.test(start.toString('latin1')));
  if (other !== undefined) throw new UnreadableDocument(other[1]);
  const text = textOf(bytes, type);
  const isHtml = /html/i.test(type) || /\.x?html?$/i.test(name) || beginsAsHtml(text);
  return { format: isHtml ? 'html' : 'text', text };
}
