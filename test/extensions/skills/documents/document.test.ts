/** Documents of each format as sections and as chunks without loss; hostile ones get an error. */
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { readInputDocument } from '../../../../src/extensions/skills/documents/document.ts';
import { chunkSections } from '../../../../src/extensions/skills/documents/chunks.ts';
import { textChunks } from '../../../../src/extensions/skills/documents/text-chunks.ts';
import { makeDocx, makePdf, pdfWith } from '../document-builders.ts';

const { signal } = new AbortController();
const read = (bytes: Buffer | string, more: object = {}) =>
  readInputDocument({ document: { base64: Buffer.from(bytes).toString('base64'), ...more } }, { signal });

describe('a document', () => {
  it('in Markdown or plain text has the sections of its headings', async () => {
    const text = 'Before.\n\n# One\nfirst\n## Two #\nsecond\n```\n# no heading\n```\nThree\n=====\nthird\n\nline\n---\nrule\n';
    expect(await readInputDocument({ text }, { signal })).toEqual([
      { heading: '', page: null, text: 'Before.' },
      { heading: 'One', page: null, text: '# One\nfirst' },
      { heading: 'One > Two', page: null, text: '## Two #\nsecond\n```\n# no heading\n```\nThree\n=====\nthird' },
      { heading: 'One > line', page: null, text: 'line\n---\nrule' },
    ]);
    expect(await read('plain words', { name: 'a.txt' })).toEqual([{ heading: '', page: null, text: 'plain words' }]);
  });

  it('in HTML has its visible text', async () => {
    const html =
      '<!doctype html><title>x</title><style>p{}</style><nav>menu</nav><h1>One &amp; all</h1><p>first <b>bold</b><br>line</p><script>evil()</script><h2>Two</h2><ul><li>a</li><li>b</li></ul><table><tr><td>1</td><td>2</td></tr></table>';
    expect(await read(html)).toEqual([
      { heading: 'One & all', page: null, text: 'One & all\n\nfirst bold\nline' },
      { heading: 'One & all > Two', page: null, text: 'Two\n\n- a\n\n- b\n\n1 | 2' },
    ]);
    expect(await read(`${'<div>'.repeat(20_000)}deep`, { media_type: 'text/html' })).toEqual([{ heading: '', page: null, text: 'deep' }]);
  });

  it.each([
    [
      'open rows',
      '<p>x<table><tr><th>Item<th>Price<th>Discount<tr><td>Tea<td><td>5<tr><td>Coffee<td>7<td></table>y',
      'x\nItem | Price | Discount\nTea | | 5\nCoffee | 7 |\ny',
    ],
    [
      'paragraphs in cells',
      '<table><tr><td><p>Item</p></td><td><p>Price</p><p>EUR</p></td></tr><tr><td><p></p></td><td>7</td></tr></table>',
      'Item | Price EUR\n| 7',
    ],
    [
      'cells over several columns and rows',
      '<table><tr><td colspan=2>A<td>B<tr><td rowspan=2>1<td>2<td rowspan=3>3<tr><td>4</tr><tr><td>5<td>6</tr><tr><td>7</table>',
      'A | | B\n1 | 2 | 3\n| 4 |\n5 | 6 |\n7',
    ],
    ['a table within', '<table><tr><td>a<table><tr><td>n1<td>n2</table>b<td>c</table><p>end', 'a\nn1 | n2\nb\nc\n\nend'],
  ])('keeps rows and empty cells of a table with %s', async (_name, html, text) => {
    expect((await read(`<!doctype html>${html}`)).map((section) => section.text)).toEqual([text]);
  });

  it('has its pages in PDF, and its headings in Word', async () => {
    expect(await read(makePdf(['First page (one).\nSecond line.', '', 'Third page.']))).toEqual([
      { heading: '', page: 1, text: 'First page (one).\nSecond line.' },
      { heading: '', page: 3, text: 'Third page.' },
    ]);
    const columns = 'BT /F1 11 Tf 50 700 Td (left) Tj 250 0 Td (right) Tj -250 -14 Td (below) Tj 250 0 Td (it) Tj 0 -300 Td (far) Tj ET';
    expect(await read(pdfWith('', Buffer.from(columns)))).toEqual([{ heading: '', page: 1, text: 'left right\nbelow it\nfar' }]);
    expect(await read(makeDocx(['Before & after.', '# Delivery', 'In May.']))).toEqual([
      { heading: '', page: null, text: 'Before & after.' },
      { heading: 'Delivery', page: null, text: 'Delivery\n\nIn May.' },
    ]);
  });

  it.each([
    ['empty', Buffer.alloc(0), /empty/],
    ['binary', Buffer.from([0xff, 0x00, 0xfe, 0x80]), /neither readable text/],
    ['a damaged PDF', Buffer.from('%PDF-1.4\nnothing of the kind'), /cannot be read as PDF/],
    ['a zip that is no Word document', Buffer.from(zipSync({ 'a.txt': new Uint8Array([1]) })), /no Word document/],
    ['a zip bomb', Buffer.from(zipSync({ 'word/document.xml': new Uint8Array(300 * 1024 * 1024) })), /larger than/],
    ['a PDF without text', makePdf(['']), /holds no text/],
  ])('that is %s is refused with a reason', async (_what, bytes, words) => {
    await expect(read(bytes)).rejects.toMatchObject({ code: 'invalid_request', message: expect.stringMatching(words) as string });
  });

  it('is no longer read after the caller has left', async () => {
    const left = AbortSignal.abort(new Error('gone'));
    const document = { base64: makePdf(['a', 'b']).toString('base64') };
    await expect(readInputDocument({ document }, { signal: left })).rejects.toThrow('gone');
  });
});

describe('pieces', () => {
  const words = Array.from({ length: 2_000 }, (_, index) => `word${index}`).join(' ');

  it('contain everything, cut between words, with the overlap between them', () => {
    const sections = [
      { heading: 'Short', page: null, text: 'little' },
      { heading: '', page: 7, text: words },
    ];
    const pieces = chunkSections(sections, 1_000, 100);
    expect(pieces[0]?.text).toMatch(/^\[1: Short\]\nlittle/);
    const bodies = pieces.map(({ text }) => text.replaceAll(/\[\d+: [^\]]*\]\n/g, ''));
    for (let index = 0; index < 2_000; index++) expect(bodies.some((body) => body.split(/\s+/).includes(`word${index}`))).toBe(true);
    for (const { text } of pieces) expect(text.length).toBeLessThan(1_100);
    expect(pieces.at(-1)?.sections).toEqual([7]);
    const plain = chunkSections(sections, 1_000, 0).length;
    expect(pieces.length).toBeGreaterThan(plain);
  });

  it('have the line numbers of their parts', () => {
    const lines = Array.from({ length: 600 }, (_, index) => `line ${index + 1}.`);
    const [head, body] = [lines.slice(0, 5).join('\n'), lines.join('\n')];
    const sections = [{ heading: 'a', page: null, text: head }, { heading: '', page: null, text: body }]; // prettier-ignore
    for (const { parts } of chunkSections(sections, 1_000, 100))
      for (const { text, line } of parts)
        expect(text.split('\n')[text.startsWith('line') ? 0 : 1]).toBe(`line ${text.startsWith('line') ? line : line + 1}.`);
  });

  it('of a long table contain the names of its columns', () => {
    const rows = (mark: string) => Array.from({ length: 200 }, (_, index) => ['Tea', `"no${mark} ${index}"`, '3.00'].join(mark));
    for (const mark of [';', ',', '\t']) {
      const names = ['name', 'number', 'price'].join(mark);
      const pieces = chunkSections([{ heading: '', page: null, text: [names, ...rows(mark)].join('\n') }], 1_000, 100);
      expect(pieces[0]?.text.startsWith(`[1: beginning]\n${names}`)).toBe(true);
      for (const { text, parts } of pieces.slice(1)) {
        expect(text.startsWith(`[1: beginning; its columns: ${names}]\n`)).toBe(true);
        expect(parts[0]?.text).not.toContain(names);
      }
    }
    const none = ['Dear Ann, thank you.', 'It was good, and so on, for long.', 'Yours'].join('\n').repeat(100);
    for (const text of [none, rows(';').join('\n').replaceAll('Tea', '2026-05-03')])
      for (const piece of chunkSections([{ heading: '', page: null, text }], 1_000, 0))
        expect(piece.text.startsWith('[1: beginning]\n')).toBe(true);
  });

  it('of a text together equal the text, in any script', () => {
    for (const text of [words, `  a\n\n${'你好。'.repeat(500)}\n \n${'😀'.repeat(700)}\n`, '\n\n', 'x'.repeat(5_000)]) {
      const pieces = textChunks(text, 600);
      expect(pieces.map(({ before, text: own, after }) => before + own + after).join('')).toBe(text);
      for (const { text: own } of pieces) {
        expect(own.length).toBeLessThanOrEqual(600);
        expect(own.isWellFormed()).toBe(true);
      }
    }
  });
});
