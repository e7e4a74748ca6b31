/** Detects the format of a file: from its bytes first, then from its declared type. */
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { readInputDocument } from '../../../../../src/extensions/skills/documents/document.ts';
import { makePdf } from '../../document-builders.ts';

const { signal } = new AbortController();
const read = async (bytes: Buffer | string, more: object = {}) =>
  readInputDocument({ document: { base64: Buffer.from(bytes).toString('base64'), ...more } }, { signal });
const textOf = async (bytes: Buffer | string, more: object = {}) => (await read(bytes, more)).map(({ text }) => text).join('\n');
const bigEndian = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le').swap16();
const littleEndian = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le');

describe('a file', () => {
  it('that mentions PDF is not a PDF, unless it is declared as one', async () => {
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

  it('with many NUL characters is not text', async () => {
    for (const bytes of [Buffer.alloc(1_000), Buffer.from('plain', 'utf16le'), Buffer.from(`\0\0\0\0${'a'.repeat(200)}`)])
      await expect(read(bytes)).rejects.toThrow(
        'input.document is neither readable text nor a PDF, DOCX or HTML file; if it is text, save it as UTF-8.',
      );
    expect(await textOf(`${'a'.repeat(500)}\0`)).toBe(`${'a'.repeat(500)}\0`);
  });

  const western = (text: string) => Buffer.from(text, 'latin1');

  it.each<[string, Buffer, object]>([
    ['its type', western('Größe'), { media_type: 'text/plain; charset=ISO-8859-1' }],
    ['HTML itself', western('<html><head><meta charset="windows-1252"></head><p>Größe'), {}],
    ['HTML of old', western('<html><head><META http-equiv=Content-Type content="text/html; charset=iso-8859-1"></head><p>Größe'), {}],
    ['XML', western('<?xml version="1.0" encoding="ISO-8859-1"?><html><p>Größe</p></html>'), {}],
  ])('in another encoding is decoded as %s declares', async (_who, bytes, more) => {
    expect(await textOf(bytes, more)).toBe('Größe');
  });

  it('with a wrong declared encoding is decoded by its bytes', async () => {
    expect(await textOf('<html><meta charset="iso-8859-1"><p>Größe')).toBe('Größe');
    expect(await textOf('Größe', { media_type: 'text/plain; charset=nonsense' })).toBe('Größe');
    expect(await textOf(Buffer.from('1b2442467c4b5c1b2842', 'hex'), { media_type: 'text/plain; charset=iso-2022-jp' })).toBe('日本');
    await expect(read(western('Größe'))).rejects.toThrow('save it as UTF-8');
  });

  it.each<[string, Buffer, string]>([
    [
      'with a password',
      Buffer.concat([Buffer.from('d0cf11e0a1b11ae1', 'hex'), Buffer.alloc(504)]),
      'or a new one with a password; save it as .docx',
    ],
    ['in RTF', Buffer.from('{\\rtf1\\ansi Hello}'), 'is RTF; save it as .docx'],
    ['that is a picture', Buffer.from('89504e470d0a1a0a0000', 'hex'), 'is a picture'],
    [
      'that is a workbook',
      Buffer.from(zipSync({ 'xl/workbook.xml': new Uint8Array([60]) })),
      'is an Excel workbook; save each sheet as CSV',
    ],
    ['of slides', Buffer.from(zipSync({ 'ppt/presentation.xml': new Uint8Array([60]) })), 'is a presentation; save it as PDF'],
    ['of OpenOffice', Buffer.from(zipSync({ 'content.xml': new Uint8Array([60]) })), 'is an OpenDocument file; save it as .docx'],
  ])('%s is refused with the remedy', async (_what, bytes, words) => {
    await expect(read(bytes)).rejects.toMatchObject({ code: 'invalid_request', message: expect.stringContaining(words) as string });
  });
});
