/** What a file is, by its first bytes: names and types are what somebody wrote, and count only where the bytes say little. */
import { Unreadable } from '../unreadable.ts';

export interface DocumentFile {
  readonly bytes: Buffer;
  readonly name: string;
  readonly type: string;
}
export type Recognised = { readonly format: 'pdf' | 'docx' } | { readonly format: 'html' | 'text'; readonly text: string };

/** Of NUL among the characters: more than that, and it is no text, whatever else it is. */
const mostNuls = 0.01;

function textOf(bytes: Buffer): string {
  const [one, two] = bytes;
  const encoding = one === 0xff && two === 0xfe ? 'utf-16le' : one === 0xfe && two === 0xff ? 'utf-16be' : 'utf-8';
  const refusal = 'is no text that could be read (UTF-8), and no PDF, DOCX or HTML either';
  let text: string;
  try {
    text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (thrown) {
    throw new Unreadable(refusal, { cause: thrown });
  }
  let nuls = 0;
  for (let at = text.indexOf('\0'); at !== -1; at = text.indexOf('\0', at + 1)) nuls++;
  if (nuls > text.length * mostNuls) throw new Unreadable(refusal);
  return text;
}

/** Whether it begins as HTML does, after comments and declarations of XML. */
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

/** Throws `Unreadable` for what is none of these. */
export function recognise({ bytes, name, type }: DocumentFile): Recognised {
  const saysPdf = /\bpdf\b/i.test(type) || /\.pdf$/i.test(name);
  const start = bytes.subarray(0, 1_024);
  if (/^(\u00ef\u00bb\u00bf)?\s*%PDF-/.test(start.toString('latin1')) || (saysPdf && start.includes('%PDF-'))) return { format: 'pdf' };
  if (start.subarray(0, 4).equals(Buffer.from([0x50, 0x4b, 3, 4]))) return { format: 'docx' };
  const text = textOf(bytes);
  const isHtml = /html/i.test(type) || /\.x?html?$/i.test(name) || beginsAsHtml(text);
  return { format: isHtml ? 'html' : 'text', text };
}
