/** Detects the encoding of a text: by byte order mark, then UTF-8, then the declared charset. */
import { UnreadableDocument } from '../document-errors.ts';

/** The share of NUL characters above which content is binary. */
const mostNuls = 0.01;
const refusal = 'is neither readable text nor a PDF, DOCX or HTML file; if it is text, save it as UTF-8';

/** The charset of the media type, of an XML declaration, or of an HTML head. */
function declaredIn(bytes: Buffer, type: string): string | null {
  const start = bytes.subarray(0, 2_048).toString('latin1');
  const [, own] =
    /\bcharset=["']?([\w.:-]+)/i.exec(type) ??
    /^\s*<\?xml\s[^>]*\bencoding=["']([\w.:-]+)/i.exec(start) ??
    /<meta\s[^>]*\bcharset=["']?\s*([\w.:-]+)/i.exec(start) ??
    [];
  return own?.toLowerCase() ?? null;
}

function decoded(bytes: Buffer, encoding: string): string | null {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    // The encoding is unknown, or the bytes are invalid in it.
    return null;
  }
}

/** Throws `UnreadableDocument` for binary content. */
export function textOf(bytes: Buffer, type: string): string {
  const [one, two] = bytes;
  const marked = one === 0xff && two === 0xfe ? 'utf-16le' : one === 0xfe && two === 0xff ? 'utf-16be' : null;
  const declared = declaredIn(bytes, type);
  // An encoding whose bytes are also valid UTF-8 with another meaning.
  const isOther = declared !== null && /^(iso-2022-|utf-16)/.test(declared);
  const tried = marked === null ? (isOther ? [declared, 'utf-8'] : ['utf-8', declared]) : [marked];
  for (const encoding of tried) {
    const text = encoding === null ? null : decoded(bytes, encoding);
    if (text === null) continue;
    let nuls = 0;
    for (let at = text.indexOf('\0'); at !== -1; at = text.indexOf('\0', at + 1)) nuls++;
    if (nuls <= text.length * mostNuls) return text;
  }
  throw new UnreadableDocument(refusal);
}
