/** What a file is taken for: by its bytes first, then by what is said of it. */
import { describe, expect, it } from 'vitest';
import { readInputDocument } from '../../../../../src/extensions/skills/documents/document.ts';
import { makePdf } from '../../made-documents.ts';

const { signal } = new AbortController();
const read = async (bytes: Buffer | string, more: object = {}) =>
  readInputDocument({ document: { base64: Buffer.from(bytes).toString('base64'), ...more } }, signal);
const textOf = async (bytes: Buffer | string, more: object = {}) => (await read(bytes, more)).map(({ text }) => text).join('\n');
const bigEndian = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le').swap16();
const littleEndian = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le');

describe('a file', () => {
  it('that speaks of PDF is no PDF, unless it says that it is one', async () => {
    expect(await textOf('A PDF begins with %PDF-1.4, as everybody knows.')).toBe('A PDF begins with %PDF-1.4, as everybody knows.');
    const pdf = makePdf(['Page one.']);
    for (const before of ['\ufeff', ' \r\n', '\ufeff\n']) expect(await textOf(Buffer.concat([Buffer.from(before), pdf]))).toBe('Page one.');
    const late = Buffer.concat([Buffer.from('HTTP/1.1 200 OK\n\n'), pdf]);
    for (const more of [{ name: 'A.PDF' }, { media_type: 'application/pdf' }]) expect(await textOf(late, more)).toBe('Page one.');
    expect(await textOf('no PDF at all', { name: 'a.pdf' })).toBe('no PDF at all');
  });

  it.each([
    ['a mark of its byte order', '\ufeff<!doctype html><p>one'],
    ['comments', `<!-- ${'made by a program '.repeat(300)} -->\n<!-- and another --> <html><p>one`],
    ['a declaration of XML', '<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN">\n<html><p>one</p></html>'],
  ])('is HTML after %s', async (_what, html) => {
    expect(await textOf(html)).toBe('one');
  });

  it('that begins otherwise is text', async () => {
    for (const text of ['<!-- open for ever <html>', '<?xml version="1.0"?><data/>', '<htmlish>', '<!doctype svg>'])
      expect(await textOf(text)).toBe(text);
  });

  it('in UTF-16 is decoded first, whatever it is', async () => {
    for (const encode of [littleEndian, bigEndian]) {
      expect(await read(encode('# Über\ntext'))).toEqual([{ heading: 'Über', page: null, text: '# Über\ntext' }]);
      expect(await textOf(encode('<html><p>Über'))).toBe('Über');
    }
  });

  it('with many NULs is no text', async () => {
    for (const bytes of [Buffer.alloc(1_000), Buffer.from('plain', 'utf16le'), Buffer.from(`\0\0\0\0${'a'.repeat(200)}`)])
      await expect(read(bytes)).rejects.toThrow('input.document is no text that could be read (UTF-8), and no PDF, DOCX or HTML either.');
    expect(await textOf(`${'a'.repeat(500)}\0`)).toBe(`${'a'.repeat(500)}\0`);
  });
});
