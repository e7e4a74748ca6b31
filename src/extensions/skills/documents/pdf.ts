/** PDF, page by page, so that neither memory nor the other callers feel its length. */
import { setImmediate } from 'node:timers/promises';
import { GatewayError } from '../../../types/errors.ts';
import type { Section } from './section.ts';

const mostPages = 5_000;

export async function readPdf(bytes: Buffer, signal: AbortSignal): Promise<readonly Section[]> {
  const { getDocumentProxy } = await import('unpdf');
  // The parser takes its bytes over.
  const document = await getDocumentProxy(new Uint8Array(bytes), { useSystemFonts: false, verbosity: 0 });
  try {
    if (document.numPages > mostPages)
      throw new GatewayError('invalid_request', `input.document has more than ${mostPages} pages; send it in parts.`, {
        param: 'input.document',
      });
    const sections: Section[] = [];
    for (let number = 1; number <= document.numPages; number++) {
      signal.throwIfAborted();
      const page = await document.getPage(number);
      const { items } = await page.getTextContent();
      const text = items.map((item) => ('str' in item ? `${item.str}${item.hasEOL ? '\n' : ''}` : '')).join('');
      page.cleanup();
      if (text.trim() !== '') sections.push({ heading: '', page: number, text: text.trim() });
      // Others want to be served too.
      await setImmediate();
    }
    return sections;
  } finally {
    await document.cleanup();
    await document.loadingTask.destroy();
  }
}
