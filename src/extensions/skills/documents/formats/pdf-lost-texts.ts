/** Counts the texts of a page whose font failed to load. The parser emits nothing for them. */
import type { PDFPageProxy } from 'unpdf/pdfjs';

/** The number of such texts. */
export async function countLostTexts(page: PDFPageProxy): Promise<number> {
  const { getResolvedPDFJS } = await import('unpdf');
  const { OPS } = await getResolvedPDFJS();
  const { fnArray, argsArray } = await page.getOperatorList();
  // For a failed font the parser stores the reason as a string.
  const isFailed = (font: string): boolean => page.commonObjs.has(font) && typeof page.commonObjs.get(font) === 'string';
  let isLost = false;
  let count = 0;
  for (const [index, operation] of fnArray.entries()) {
    if (operation === OPS.setFont) isLost = isFailed((argsArray[index] as readonly unknown[])[0] as string);
    if (operation === OPS.showText && isLost) count++;
  }
  return count;
}
