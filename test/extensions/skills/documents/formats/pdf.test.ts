/** What a PDF holds beside its printed text. */
import { expect, it } from 'vitest';
import { readPdf } from '../../../../../src/extensions/skills/documents/formats/pdf.ts';
import { pdfOf } from '../../made-documents.ts';

it('has what was filled in and ticked in its form', async () => {
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
