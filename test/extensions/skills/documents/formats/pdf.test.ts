/** Form fields, columns, rotation and fonts of PDF files. */
import { expect, it } from 'vitest';
import { readPdf } from '../../../../../src/extensions/skills/documents/formats/pdf.ts';
import { pageText } from '../../../../../src/extensions/skills/documents/formats/pdf-page.ts';
import { pdfOf } from '../../document-builders.ts';

it('contains the filled and ticked fields of its form', async () => {
  const box = '/Rect [9 9 90 20] /F 4 /AP << /N << /Yes 5 0 R /Off 5 0 R >> >>';
  const fields = [
    '/FT /Tx /T (name) /TU (Full name) /V (Ann Lee) /Rect [9 9 90 20] /F 4',
    '/FT /Tx /T (empty) /Rect [9 9 90 20] /F 4',
    '/FT /Tx /T (hidden) /V (no) /Rect [9 9 90 20] /F 2',
    `/FT /Btn /T (married) /V /Yes /AS /Yes ${box}`,
    `/FT /Btn /T (retired) /V /Off /AS /Off ${box}`,
    '/FT /Ch /T (country) /V (China) /Opt [(China) (Italy)] /Ff 131072 /Rect [9 9 90 20] /F 4',
  ];
  const names = fields.map((_, index) => `${index + 7} 0 R`).join(' ');
  const bytes = pdfOf([
    `<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [${names}] >> >>`,
    '<< /Type /Pages /Count 1 /Kids [3 0 R] >>',
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Annots [${names}] /Resources << /Font << /F1 6 0 R >> >> >>`,
    ['', Buffer.from('BT /F1 11 Tf 50 700 Td (Application) Tj ET')],
    ['/Type /XObject /Subtype /Form /BBox [0 0 9 9]', Buffer.from('')],
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
    ...fields.map((field) => `<< /Type /Annot /Subtype /Widget ${field} >>`),
  ]);
  expect(await readPdf(bytes)).toEqual([
    { heading: '', page: 1, text: 'Application\nFull name: Ann Lee\n☒ married\n☐ retired\ncountry: China' },
  ]);
});

const helvetica = '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>';

/** A PDF with one page of this content; further objects have the numbers from 6 on. */
function pageOf(content: string, { font = helvetica, page = '', objects = [] as readonly string[] } = {}): Buffer {
  return pdfOf([
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Count 1 /Kids [3 0 R] >>',
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] ${page} /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>`,
    ['', Buffer.from(content, 'latin1')],
    font,
    ...objects,
  ]);
}

const at = (x: number, y: number, text: string, size = 10): string => `BT /F1 ${size} Tf ${x} ${y} Td (${text}) Tj ET\n`;
const textIn = async (bytes: Buffer): Promise<string> => (await readPdf(bytes)).map(({ text }) => text).join('\n---\n');

const left = [
  'The quick brown fox jumps over',
  'the lazy dog near the river',
  'while seven wizards make toxic',
  'brew for the evil queen and',
  'her brother Jack who sleeps',
];
const right = [
  'Sphinx of black quartz judge my',
  'vow and pack my box with five',
  'dozen liquor jugs before noon',
  'so that how vexingly quick the',
  'daft zebras jump is measured',
];

it.each([
  ['on the same lines', 0],
  ['between each other’s lines', 5],
])('two columns of text are read one after the other, between full-width lines: %s', async (_how, shift) => {
  const headline = 'A headline that spans the whole width of the page, all of it';
  const end = 'A closing paragraph which again runs all across both of the columns, to the right edge';
  // Line by line across the page, as some programs write text.
  const body = left
    .map((text, index) => at(50, 740 - index * 14, text) + at(320, 740 - index * 14 - shift, right[index] as string))
    .join('');
  expect(await textIn(pageOf(at(50, 640, end) + body + at(50, 780, headline, 14)))).toBe([headline, ...left, ...right, end].join('\n'));
});

const prose = [...left, ...right];

it('three columns of text are read one after the other, with a headline above and a table below their gaps', async () => {
  const column = (x: number, from: number, shift: number): string[] =>
    prose.map((_, line) => at(x, 740 - line * 13 - shift, prose[(line + from) % prose.length] as string));
  const columns = [column(50, 0, 0), column(220, 3, 5), column(390, 6, 0)];
  const rows = [
    ['Name', 'Tokens in', 'Sum'],
    ['Tea', '24.28', ''],
    ['Coffee', '', '49.88'],
  ];
  const below = rows.flatMap((row, line) => row.map((text, place) => (text === '' ? '' : at(50 + place * 145, 560 - line * 14, text))));
  const content = [at(50, 770, 'A headline of the page', 16), ...columns.flat(), at(50, 590, 'Table', 14), ...below].join('');
  const turn = (from: number): string[] => prose.map((_, line) => prose[(line + from) % prose.length] as string);
  const lines = (await textIn(pageOf(content))).split('\n');
  expect(lines.slice(0, -4)).toEqual(['A headline of the page', ...turn(0), ...turn(3), ...turn(6)]);
  expect(lines.at(-4)).toBe('Table');
  expect(cellsOf(lines.slice(-3).join('\n'))).toEqual(rows);
});

it('a column of text may contain a table', async () => {
  const first = prose.slice(0, 6).map((text, line) => at(50, 740 - line * 14, text));
  const rows = [
    ['Tea', '1.50', ''],
    ['Milk', '', '2.50'],
    ['Cake', '3.50', '4.50'],
  ];
  const inside = rows.flatMap((row, line) => row.map((text, place) => (text === '' ? '' : at(55 + place * 60, 650 - line * 14, text))));
  const second = prose.map((text, line) => at(320, 738 - line * 13, text));
  const lines = (await textIn(pageOf([...second, ...inside, ...first].join('')))).split('\n');
  expect(lines.slice(0, 6)).toEqual(prose.slice(0, 6));
  expect(cellsOf(lines.slice(6, 9).join('\n'))).toEqual(rows);
  expect(lines.slice(9)).toEqual(prose);
});

const table = [
  ['Item', 'Qty', 'Price', 'Note'],
  ['Tea', '2', '24.28', ''],
  ['Coffee', '', '49.88', 'late'],
  ['', '3', '7.00', ''],
  ['Cake', '1', '37,499.96', 'x'],
];
const places = [50, 200, 300, 420];
const cellsOf = (text: string): string[][] => text.split('\n').map((row) => row.split('|').map((cell) => cell.trim()));

it('a table is read row by row with every cell, including empty ones, whatever surrounds it', async () => {
  const cells = table.flatMap((row, line) =>
    row.flatMap((text, column) => (text === '' ? [] : [at(places[column] as number, 730 - line * 16, text)])),
  );
  const around = at(50, 760, 'Invoice') + at(50, 630, 'Thank you for your order, which we deliver next week.');
  // Column by column, starting at the end of the page.
  const text = await textIn(pageOf(around + cells.toReversed().join('')));
  const [head, ...rows] = text.split('\n');
  expect([head, rows.pop()]).toEqual(['Invoice', 'Thank you for your order, which we deliver next week.']);
  expect(cellsOf(rows.join('\n'))).toEqual(table);
});

it('a sum in the last column alone, and heads centred over their cells, stay in their columns', async () => {
  const cells = [
    ['Tea', '24.28', '1.00'],
    ['Coffee', '', '49.88'],
    ['', '', '75.16'],
  ];
  const content = cells.flatMap((row, line) => row.map((text, place) => (text === '' ? '' : at(50 + place * 110, 700 - line * 16, text))));
  const heads = ['Name', 'In', 'Out'].map((text, place) => at(90 + place * 110, 716, text));
  const after = at(50, 600, 'Prices without tax.');
  const text = await textIn(pageOf([...heads, ...content, after].join('')));
  expect(text.split('\n').at(-1)).toBe('Prices without tax.');
  expect(cellsOf(text.split('\n').slice(0, -1).join('\n'))).toEqual([['Name', 'In', 'Out'], ...cells]);
});

it('a text that nearly reaches the next cell is divided where other rows have two cells', async () => {
  const content = [
    at(50, 700, 'Clause'),
    at(272, 700, 'Amount'),
    at(50, 684, 'Costs of the delivery to the customer, without tax'),
    at(272, 684, '1,200.00'),
    at(50, 668, 'Fee'),
    at(272, 668, '7.00'),
    at(50, 652, 'Rent'),
    at(272, 652, '3.00'),
  ];
  expect(cellsOf(await textIn(pageOf(content.join(''))))).toEqual([
    ['Clause', 'Amount'],
    ['Costs of the delivery to the customer, without tax', '1,200.00'],
    ['Fee', '7.00'],
    ['Rent', '3.00'],
  ]);
});

it('radicals that browsers print in place of characters are characters again', () => {
  const item = { str: '增⻓与⻛险：⽴⼊', dir: 'ltr', transform: [10, 0, 0, 10, 50, 700], width: 80, height: 10 };
  expect(pageText([item], [1, 0, 0, -1, 0, 842])).toBe('增长与风险：立入');
});

it('numbers that end at one edge stay in their columns, and close ones are never run together', async () => {
  const end = (x: number, y: number, text: string): string =>
    at(x - text.length * 5.56 + (text.match(/[.,]/g)?.length ?? 0) * 2.78, y, text);
  const rows = [
    ['24.28', '49.88', '7.00'],
    ['1,024.28', '', '12,307.00'],
    ['3.00', '37,499.96', '0.50'],
  ];
  const content = rows.flatMap((row, line) =>
    row.flatMap((text, column) => (text === '' ? [] : [end(150 + column * 90, 700 - line * 14, text)])),
  );
  expect(cellsOf(await textIn(pageOf(content.join(''))))).toEqual(rows);
  expect(await textIn(pageOf(at(50, 700, '24.28') + at(80, 700, '49.88')))).toBe('24.28 49.88');
  expect(await textIn(pageOf(`${at(50, 700, '37,499.96')}${at(100, 700, 'DISTRICT')}${at(150, 700, 'DIRECTOR')}`))).toBe(
    '37,499.96 DISTRICT DIRECTOR',
  );
});

it.each([
  ['a page that is turned', '/Rotate 90', '0 1 -1 0', (line: number) => 100 + line * 16, (x: number) => x],
  ['text that is turned on its page', '', '0 1 -1 0', (line: number) => 100 + line * 16, (x: number) => x],
  ['a page that is turned the other way', '/Rotate 270', '0 -1 1 0', (line: number) => 400 - line * 16, (x: number) => 800 - x],
  ['a page on its head', '/Rotate 180', '-1 0 0 -1', null, null],
])('%s is read upright, cell by cell', async (_what, page, matrix, across, along) => {
  const cells = table.flatMap((row, line) =>
    row.flatMap((text, column) => {
      if (text === '') return [];
      const place = places[column] as number;
      const [x, y] = across === null ? [550 - place, 100 + line * 16] : [across(line), along(place)];
      return [`BT /F1 10 Tf ${matrix} ${x} ${y} Tm (${text}) Tj ET\n`];
    }),
  );
  expect(cellsOf(await textIn(pageOf(cells.join(''), { page })))).toEqual(table);
});

/** A font that the PDF names and does not embed. */
function foreignFont(encoding: string, ordering: string, name: string) {
  return {
    font: `<< /Type /Font /Subtype /Type0 /BaseFont /${name} /Encoding /${encoding} /DescendantFonts [6 0 R] >>`,
    objects: [
      `<< /Type /Font /Subtype /CIDFontType0 /BaseFont /${name} /CIDSystemInfo << /Registry (Adobe) /Ordering (${ordering}) /Supplement 2 >> /FontDescriptor 7 0 R >>`,
      `<< /Type /FontDescriptor /FontName /${name} /Flags 4 /FontBBox [0 0 1000 1000] /ItalicAngle 0 /Ascent 800 /Descent -200 /CapHeight 700 /StemV 80 >>`,
    ],
  };
}

it.each([
  ['GBK-EUC-H', 'GB1', 'STSong-Light', 'd6d0b9fababdccec', '中国航天'],
  ['GB-EUC-H', 'GB1', 'STSong-Light', 'd6d0b9fa', '中国'],
  ['UniGB-UCS2-H', 'GB1', 'STSong-Light', '4e2d65875408540c', '中文合同'],
  ['UniGB-UTF16-H', 'GB1', 'STSong-Light', '4e2d65875408540c', '中文合同'],
  ['90ms-RKSJ-H', 'Japan1', 'HeiseiMin-W3', '93fa967b8cea', '日本語'],
  ['UniJIS-UCS2-H', 'Japan1', 'HeiseiMin-W3', '65e5672c8a9e', '日本語'],
  ['KSC-EUC-H', 'Korea1', 'HYSMyeongJo-Medium', 'c7d1b1b9beee', '한국어'],
  ['KSCms-UHC-H', 'Korea1', 'HYSMyeongJo-Medium', 'c7d1b1b9beee', '한국어'],
  ['ETen-B5-H', 'CNS1', 'MSung-Light', 'a4a4a4e5', '中文'],
])('text in %s is decoded, although its font is not embedded', async (encoding, ordering, name, bytes, text) => {
  const content = `BT /F1 12 Tf 50 700 Td <${bytes}> Tj ET`;
  expect(await textIn(pageOf(content, foreignFont(encoding, ordering, name)))).toBe(text);
});

/** A font whose own character map assigns private-use characters. */
const privateFont = {
  font: '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 6 0 R >>',
  map: '/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <00> <FF> endcodespacerange 1 beginbfrange <61> <7A> <E000> endbfrange endcmap end',
};

it('unmapped glyphs are counted and reported, and a document with only unmapped glyphs is refused', async () => {
  const pages = (...contents: readonly string[]): Buffer =>
    pdfOf([
      '<< /Type /Catalog /Pages 2 0 R >>',
      `<< /Type /Pages /Count ${contents.length} /Kids [${contents.map((_, index) => `${7 + index * 2} 0 R`).join(' ')}] >>`,
      '<< /Unused true >>',
      '<< /Unused true >>',
      privateFont.font,
      ['', Buffer.from(privateFont.map)],
      ...contents.flatMap((content, index): (string | readonly [string, Buffer])[] => [
        `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents ${8 + index * 2} 0 R /Resources << /Font << /F1 5 0 R >> >> >>`,
        ['', Buffer.from(content)],
      ]),
    ]);
  const readable = at(50, 700, 'ALL OF THIS PAGE CAN BE READ WITHOUT ANY DOUBT');
  const sections = await readPdf(pages(readable, at(50, 700, 'AB abcdef'), ''));
  const [first, second] = sections;
  expect(first?.text).toBe('ALL OF THIS PAGE CAN BE READ WITHOUT ANY DOUBT');
  expect(second?.text).toBe('[Page 2: 6 of 8 letters cannot be read; the font does not say which characters they are.]\nAB ������');
  expect(
    sections.map(({ page }) => page),
    'a page with nothing on it is none',
  ).toEqual([1, 2]);
  await expect(readPdf(pages(at(50, 700, 'AB abcdef')))).rejects.toThrow('which characters 6 of its 8 letters are');
});

it('texts in an unreadable font are reported, never dropped silently', async () => {
  const broken = foreignFont('NoSuch-H', 'GB1', 'Strange');
  const fonts = '/Resources << /Font << /F1 5 0 R /F2 8 0 R >> >>';
  const objects = [...broken.objects, helvetica];
  const lost = 'BT /F1 12 Tf 50 700 Td <d6d0b9fa> Tj ET\n';
  const page = (content: string): Buffer =>
    pdfOf([
      '<< /Type /Catalog /Pages 2 0 R >>',
      '<< /Type /Pages /Count 1 /Kids [3 0 R] >>',
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R ${fonts} >>`,
      ['', Buffer.from(content)],
      broken.font,
      ...objects,
    ]);
  expect(await textIn(page(`${lost}BT /F2 12 Tf 50 600 Td (Sum: 150) Tj ET`))).toBe(
    '[Page 1: 1 text cannot be read; the font does not say which characters they are.]\nSum: 150',
  );
  await expect(readPdf(page(lost))).rejects.toThrow('its fonts do not say which characters its letters are');
});
