/** Reads PDF page by page. */
import { PredefinedCMaps } from './pdf-cmaps.ts';
import { filledFields } from './pdf-fields.ts';
import { countLostTexts } from './pdf-lost-texts.ts';
import { type PageItem, pageText } from './pdf-page.ts';
import { isUnreadable, marked, type Readability, readabilityOf, warningOf } from './pdf-readability.ts';
import type { Section } from '../section.ts';
import { requireCharacters, UnreadableDocument } from '../document-errors.ts';

const mostPages = 5_000;
/** In longer documents only pages without text are checked for lost texts. */
const mostLookedThrough = 200;

interface Page {
  readonly number: number;
  readonly text: string;
  readonly readability: Readability;
}

/** Throws when most of the document is unreadable. */
function requireReadable(pages: readonly Page[]): void {
  const sum = (count: (readability: Readability) => number): number =>
    pages.reduce((total, { readability }) => total + count(readability), 0);
  const whole = { letters: sum(({ letters }) => letters), unreadable: sum(({ unreadable }) => unreadable), lost: sum(({ lost }) => lost) };
  if (!isUnreadable(whole)) return;
  const share = whole.letters === 0 ? 'its letters' : `${whole.unreadable} of its ${whole.letters} letters`;
  throw new UnreadableDocument(
    `cannot be read: its fonts do not say which characters ${share} are; save it again with embedded fonts, or let a program recognise its letters`,
  );
}

/** A warning takes the place of missing text. */
function sectionOf({ number, text, readability }: Page): Section {
  const warning = warningOf(number, readability);
  return { heading: '', page: number, text: warning === null ? text : `${warning}\n${text}`.trim() };
}

export async function readPdf(bytes: Buffer): Promise<readonly Section[]> {
  const { getDocumentProxy } = await import('unpdf');
  // The parser takes ownership of the bytes.
  const document = await getDocumentProxy(new Uint8Array(bytes), {
    useSystemFonts: false,
    verbosity: 0,
    // Nothing is rendered.
    maxImageSize: 1,
    cMapUrl: 'predefined/',
    cMapPacked: true,
    BinaryDataFactory: PredefinedCMaps,
    useWorkerFetch: false,
  });
  try {
    if (document.numPages > mostPages)
      throw new UnreadableDocument(`has more than ${mostPages.toLocaleString('en')} pages; send it in parts`);
    const pages: Page[] = [];
    let characters = 0;
    for (let number = 1; number <= document.numPages; number++) {
      const page = await document.getPage(number);
      const { items } = await page.getTextContent();
      const { transform } = page.getViewport({ scale: 1 });
      const printed = pageText(
        items.filter((item): item is typeof item & PageItem => 'str' in item),
        transform,
      );
      const text = `${marked(printed)}\n${filledFields(await page.getAnnotations())}`.trim();
      const lost = printed === '' || document.numPages <= mostLookedThrough ? await countLostTexts(page) : 0;
      page.cleanup();
      requireCharacters((characters += text.length));
      pages.push({ number, text, readability: { ...readabilityOf(printed), lost } });
    }
    requireReadable(pages);
    return pages.map(sectionOf).filter(({ text }) => text !== '');
  } finally {
    await document.cleanup();
    await document.loadingTask.destroy();
  }
}
