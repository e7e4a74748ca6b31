/** PDF, page by page. */
import { filledFields } from './pdf-fields.ts';
import type { Section } from '../section.ts';
import { requireCharacters, UnreadableDocument } from '../document-errors.ts';

const mostPages = 5_000;

export async function readPdf(bytes: Buffer): Promise<readonly Section[]> {
  const { getDocumentProxy } = await import('unpdf');
  // The parser takes its bytes over.
  const document = await getDocumentProxy(new Uint8Array(bytes), { useSystemFonts: false, verbosity: 0 });
  try {
    if (document.numPages > mostPages)
      throw new UnreadableDocument(`has more than ${mostPages.toLocaleString('en')} pages; send it in parts`);
    const sections: Section[] = [];
    let characters = 0;
    for (let number = 1; number <= document.numPages; number++) {
      const page = await document.getPage(number);
      const { items } = await page.getTextContent();
      const printed = items.map((item) => ('str' in item ? `${item.str}${item.hasEOL ? '\n' : ''}` : '')).join('');
      const text = `${printed.trim()}\n${filledFields(await page.getAnnotations())}`;
      page.cleanup();
      requireCharacters((characters += text.length));
      if (text.trim() !== '') sections.push({ heading: '', page: number, text: text.trim() });
    }
    return sections;
  } finally {
    await document.cleanup();
    await document.loadingTask.destroy();
  }
}
