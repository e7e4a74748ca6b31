/** Texts of a page whose font cannot be read at all: the parser draws nothing for them and says nothing. */
import type { PDFPageProxy } from 'unpdf/pdfjs';

/** How many. */
export async function countLostTexts(page: PDFPageProxy): Promise<number> {
  const { getResolvedPDFJS } = await import('unpdf');
  const { OPS } = await getResolvedPDFJS();
  const { fnArray, argsArray } = await page.getOperatorList();
  // In the place of a font that could not be read the parser keeps the reason, as a text.
  const isFailed = (font: string): boolean => page.commonObjs.has(font) && typeof page.commonObjs.get(font) === 'string';
  let isLost = false;
  let count = 0;
  for (const [index, operation] of fnArray.entries()) {
    if (operation === OPS.setFont) isLost = isFailed((argsArray[index] as readonly unknown[])[0] as string);
    if (operation === OPS.showText && isLost) count++;
  }
  return count;
}
