/** Word documents as displayed: tracked changes accepted, field results, headers and footers. */
import { strFromU8, strToU8, unzipSync, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { readDocx } from '../../../../../src/extensions/skills/documents/formats/docx.ts';
import { makeDocx } from '../../document-builders.ts';

const space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"';
const relation = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"';
const run = (text: string): string => `<w:r><w:t xml:space="preserve">${text}</w:t></w:r>`;
const paragraph = (text: string): string => `<w:p>${run(text)}</w:p>`;

/** A Word document with this body and more parts. */
function docx(body: string, more: Readonly<Record<string, string>> = {}): Buffer {
  const parts = unzipSync(makeDocx(['BODY']));
  const document = strFromU8(parts['word/document.xml'] as Uint8Array)
    .replace(paragraph('BODY').replace(' xml:space="preserve"', ''), body)
    .replace('<w:document ', `<w:document ${relation} `);
  const added = Object.entries(more).map(([name, text]) => [name, strToU8(text)]);
  return Buffer.from(zipSync({ ...parts, 'word/document.xml': strToU8(document), ...Object.fromEntries(added) }));
}
const textOf = async (body: string) => (await readDocx(docx(body))).map(({ text }) => text).join('\n');

describe('a Word document', () => {
  it.each([
    [
      'changes that are not accepted yet',
      `<w:p>${run('Price ')}<w:del w:id="1"><w:r><w:delText>100</w:delText></w:r></w:del><w:ins w:id="2">${run('200')}</w:ins></w:p>`,
      'Price 200',
    ],
    ['the results of fields', `<w:p>${run('Dear ')}<w:fldSimple w:instr=" MERGEFIELD name ">${run('Ann')}</w:fldSimple></w:p>`, 'Dear Ann'],
    [
      'words with their readings',
      `<w:p><w:r><w:ruby><w:rubyPr><w:lid w:val="ja-JP"/></w:rubyPr><w:rt>${run('とうきょう')}</w:rt><w:rubyBase>${run('東京')}</w:rubyBase></w:ruby></w:r>${run('都')}</w:p>`,
      '東京都',
    ],
    ['links that lead nowhere', `<w:p><w:hyperlink r:id="gone">${run('a link')}</w:hyperlink></w:p>`, 'a link'],
    [
      'numbers of footnotes',
      `<w:p>${run('1,299')}<w:r><w:rPr><w:vertAlign w:val="superscript"/></w:rPr><w:t>1</w:t></w:r></w:p>`,
      '1,299¹',
    ],
    ['what was struck out', `<w:p><w:r><w:rPr><w:strike/></w:rPr><w:t>100</w:t></w:r>${run('200')}</w:p>`, '~~100~~200'],
  ])('has %s', async (_what, body, text) => {
    expect(await textOf(body)).toBe(text);
  });

  it('has its headers and footers, each once', async () => {
    const header = `<w:hdr ${space}>${paragraph('ACME Ltd')}</w:hdr>`;
    const bytes = docx(paragraph('Invoice 4711'), {
      'word/header1.xml': header,
      'word/header2.xml': header,
      'word/header3.xml': `<w:hdr ${space}/>`,
      'word/footer1.xml': `<?xml version="1.0"?><w:ftr ${space} ${relation}><w:p><w:hyperlink r:id="r9">${run('IBAN DE1')}</w:hyperlink></w:p></w:ftr>`,
    });
    expect(await readDocx(bytes)).toEqual([
      { heading: 'header', page: null, text: 'ACME Ltd' },
      { heading: '', page: null, text: 'Invoice 4711' },
      { heading: 'footer', page: null, text: 'IBAN DE1' },
    ]);
  });

  it('whose main part has another path is read once', async () => {
    const parts = unzipSync(docx(paragraph('body'), { 'word/header1.xml': `<w:hdr ${space}>${paragraph('header')}</w:hdr>` }));
    const { 'word/document.xml': main, 'word/_rels/document.xml.rels': relations, ...others } = parts;
    const moved = (text: Uint8Array | undefined) => strToU8(strFromU8(text as Uint8Array).replaceAll('document.xml', 'main.xml'));
    const bytes = zipSync({
      ...others,
      '[Content_Types].xml': moved(others['[Content_Types].xml']),
      '_rels/.rels': moved(others['_rels/.rels']),
      'word/main.xml': main as Uint8Array,
      'word/_rels/main.xml.rels': relations as Uint8Array,
    });
    expect((await readDocx(Buffer.from(bytes))).map(({ text }) => text)).toEqual(['body']);
  });
});
