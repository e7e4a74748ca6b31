/** Reads HTML as sections by headings. Scripts, styles, navigation and hidden elements are left out. */
import { createTextFlow } from './text-flow.ts';
import { isBlock, isCell, isEmpty, levelOf, openElements } from './html-elements.ts';
import { filledIn, isConcealed, isStruck, listMarks, superscript } from './html-marks.ts';
import { layoutTables, tableColumns } from './html-tables.ts';
import { createSectionBuilder } from './section-builder.ts';
import type { Section } from '../section.ts';

const isList = (name: string): boolean => name === 'ol' || name === 'ul' || name === 'menu';
/** The longest attribute value that is read. */
const mostOfAttribute = 10_000;

export async function readHtml(html: string): Promise<readonly Section[]> {
  // Only the tokenizer is used: the parser needs quadratic time for deep nesting.
  const { Tokenizer } = await import('htmlparser2');
  const outline = createSectionBuilder();
  const flow = createTextFlow();
  const elements = openElements();
  const lists = listMarks();
  const columns = tableColumns();
  const layouts = await layoutTables(html);
  /** The open tables by nesting depth. */
  const tables: { readonly depth: number; readonly isLayout: boolean }[] = [];
  let tableCount = 0;
  let heading: { readonly level: number; readonly depth: number } | null = null;
  let tag = '';
  let attribute = '';
  let attributes = new Map<string, string>();
  let isFirstInPre = false;

  const endHeading = (): void => {
    if (heading === null) return;
    outline.enter(heading.level, flow.text.replaceAll(/\s+/g, ' ').trim());
    heading = null;
    flow.lineBreak();
  };
  const write = (chunk: string): void => {
    if (!elements.innermost.isRead) return;
    if (!elements.innermost.isLaidOut) return flow.words(elements.has('sup') ? superscript(chunk) : chunk);
    const own = isFirstInPre ? chunk.replace(/^\r?\n/, '') : chunk;
    isFirstInPre = false;
    if (own !== '') flow.verbatim(own.replaceAll(/\r\n?/g, '\n'));
  };
  const endRow = (): void => {
    for (let left = columns.endRow(); left > 0; left--) flow.mark('|');
  };
  /** Closes elements without an end tag together with their parent. */
  const tableHere = (): { readonly isLayout: boolean } | undefined => {
    while ((tables.at(-1)?.depth ?? 0) > elements.depth) tables.pop();
    return tables.at(-1);
  };
  /** A row is one line. Cell content stays in the cell, and an empty cell keeps its column. */
  const openCell = (): void => {
    if (elements.cells > 1) return flow.space();
    for (let left = columns.cell(attributes.get('colspan'), attributes.get('rowspan')); left > 0; left--) flow.mark('|');
  };
  const open = (name: string): void => {
    const isInLayout = isCell(name) && tableHere()?.isLayout === true;
    elements.open(name, isConcealed(attributes), isInLayout);
    if (name === 'table') {
      tables.push({ depth: elements.depth, isLayout: layouts.has(tableCount++) });
      if (elements.cells === 0) columns.startTable();
    }
    if (!elements.innermost.isRead) return;
    if (isStruck(name)) return flow.begin('~~');
    if (name === 'input' && filledIn(attributes) !== '') return flow.mark(filledIn(attributes));
    if (isList(name)) lists.open(name, elements.depth, attributes);
    if (name === 'li') flow.item(elements.cells > 0 ? '' : lists.item(elements.depth, attributes));
    if (isCell(name) && !isInLayout) return openCell();
    if (elements.cells > 0 && (name === 'br' || isBlock(name))) return flow.space();
    if (name === 'tr' && tableHere()?.isLayout === false) {
      // The row before may lack its end tag.
      if (!columns.isInRow) return;
      endRow();
      return flow.lineBreak();
    }
    if (name === 'br') flow.lineBreak();
    if (!isBlock(name) && !isInLayout) return;
    const level = levelOf(name);
    // A heading without an end tag ends at the next block.
    if (level !== null || flow.text !== '') endHeading();
    flow.lineBreak();
    isFirstInPre = name === 'pre';
    if (level === null) return;
    outline.add(flow.take());
    heading = { level, depth: elements.depth };
  };
  const close = (name: string): void => {
    const isRow = name === 'tr' && elements.cells <= 1 && tableHere()?.isLayout === false;
    elements.close(name);
    if (!elements.innermost.isRead) return;
    if (heading !== null && (levelOf(name) !== null || elements.depth < heading.depth)) endHeading();
    if (isStruck(name)) return flow.end('~~');
    if (name === 'li') flow.item('');
    if (isRow && elements.cells === 0) endRow();
    if (elements.cells > 0) flow.space();
    else if (isBlock(name) || (isCell(name) && tableHere()?.isLayout === true)) flow.lineBreak();
  };

  const addToAttribute = (own: string): void => {
    const known = attributes.get(attribute) ?? '';
    if (known.length < mostOfAttribute) attributes.set(attribute, known + own.slice(0, mostOfAttribute));
  };
  const tokenizer = new Tokenizer(
    {},
    {
      ontext: (start, end) => write(html.slice(start, end)),
      ontextentity: (point) => write(String.fromCodePoint(point)),
      onopentagname(start, end) {
        tag = html.slice(start, end).toLowerCase();
        attributes = new Map();
      },
      onopentagend: () => open(tag),
      onselfclosingtag() {
        open(tag);
        if (!isEmpty(tag)) close(tag);
      },
      onclosetag: (start, end) => close(html.slice(start, end).toLowerCase()),
      onattribname(start, end) {
        attribute = html.slice(start, end).toLowerCase();
        if (!attributes.has(attribute)) attributes.set(attribute, '');
      },
      onattribdata: (start, end) => addToAttribute(html.slice(start, end)),
      onattribentity: (point) => addToAttribute(String.fromCodePoint(point)),
      isInForeignContext: () => elements.has('svg') || elements.has('math'),
      onattribend() {},
      oncdata() {},
      oncomment() {},
      ondeclaration() {},
      onprocessinginstruction() {},
      onend() {},
    },
  );
  tokenizer.write(html);
  tokenizer.end();
  endHeading();
  outline.add(flow.take());
  return outline.sections();
}
