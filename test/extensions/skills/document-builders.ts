/** Builds documents for tests. */
import { strToU8, zipSync } from 'fflate';

/** A PDF of these objects, numbered from 1; the first is the catalogue. A pair is a stream with the rest of its dictionary. */
export function pdfOf(objects: readonly (string | readonly [dictionary: string, stream: Buffer])[]): Buffer {
  const parts = [Buffer.from('%PDF-1.4\n')];
  let at = parts[0]!.length;
  const offsets = objects.map((body, index) => {
    const [head, stream] = typeof body === 'string' ? [body, null] : body;
    const start = at;
    const own = [
      `${index + 1} 0 obj\n`,
      stream === null ? head : `<< ${head} /Length ${stream.length} >>\nstream\n`,
      stream ?? '',
      stream && '\nendstream',
      '\nendobj\n',
    ];
    const bytes = Buffer.concat(own.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : (part ?? Buffer.alloc(0)))));
    parts.push(bytes);
    at += bytes.length;
    return start;
  });
  const table = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  const end = `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${at}\n%%EOF\n`;
  return Buffer.concat([...parts, Buffer.from(`xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${table}${end}`)]);
}

/** A PDF with one page of this content. */
export function pdfWith(dictionary: string, content: Buffer): Buffer {
  return pdfOf([
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Count 1 /Kids [3 0 R] >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    [dictionary, content],
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ]);
}

/** A PDF of 2 kB that would take days to read: each of its forms contains the next one eight times. */
export function endlessPdf(): Buffer {
  const eight = Buffer.from('/X Do '.repeat(8));
  const forms = Array.from({ length: 10 }, (_, index) => {
    const next = `/Resources << /XObject << /X ${index + 6} 0 R >> >>`;
    return [`/Type /XObject /Subtype /Form /BBox [0 0 9 9] ${next}`, eight] as const;
  });
  return pdfOf([
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Count 1 /Kids [3 0 R] >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] /Contents 4 0 R /Resources << /XObject << /X 5 0 R >> >> >>',
    ['', eight],
    ...forms,
    ['/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /Font << /F1 16 0 R >> >>', Buffer.from('BT /F1 1 Tf (a) Tj ET')],
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ]);
}

/** A PDF with one page for each text; a line of the text is a line of the page. */
export function makePdf(pages: readonly string[]): Buffer {
  const kids = pages.map((_, index) => `${2 * index + 4} 0 R`);
  return pdfOf([
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Count ${kids.length} /Kids [${kids.join(' ')}] >>`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
    ...pages.flatMap((text, index) => {
      const lines = text.split('\n').map((line) => `(${line.replaceAll(/[\\()]/g, String.raw`\$&`)}) Tj T*`);
      const page = `/MediaBox [0 0 595 842] /Contents ${2 * index + 5} 0 R /Resources << /Font << /F1 3 0 R >> >>`;
      const content = Buffer.from(`BT /F1 11 Tf 14 TL 50 780 Td ${lines.join(' ')} ET`, 'latin1');
      return [`<< /Type /Page /Parent 2 0 R ${page} >>`, ['', content]] as const;
    }),
  ]);
}

/** A Word document; a paragraph that begins with `# ` is a heading. */
export function makeDocx(paragraphs: readonly string[]): Buffer {
  const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const body = paragraphs
    .map((text) => {
      const heading = text.startsWith('# ');
      return `<w:p>${heading ? '<w:pPr><w:pStyle w:val="Heading1"/></w:pPr>' : ''}<w:r><w:t>${escaped(text.replace(/^# /, ''))}</w:t></w:r></w:p>`;
    })
    .join('');
  const head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>';
  const main = 'http://schemas.openxmlformats.org/wordprocessingml/2006/main';
  const relation = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
  return Buffer.from(
    zipSync({
      '[Content_Types].xml': strToU8(
        `${head}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>`,
      ),
      '_rels/.rels': strToU8(
        `${head}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="${relation}/officeDocument" Target="word/document.xml"/></Relationships>`,
      ),
      'word/_rels/document.xml.rels': strToU8(
        `${head}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="s1" Type="${relation}/styles" Target="styles.xml"/></Relationships>`,
      ),
      'word/styles.xml': strToU8(
        `${head}<w:styles xmlns:w="${main}"><w:style w:type="paragraph" w:styleId="Heading1"><w:name w:val="heading 1"/></w:style></w:styles>`,
      ),
      'word/document.xml': strToU8(`${head}<w:document xmlns:w="${main}"><w:body>${body}</w:body></w:document>`),
    }),
  );
}
