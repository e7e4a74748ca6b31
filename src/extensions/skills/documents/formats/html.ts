/** HTML as sections by its headings; what is not read (scripts, styles, navigation, what is hidden) is left out. */
import { flowingText } from './flowing-text.ts';
import { isBlock, isCell, isEmpty, levelOf, openElements } from './html-elements.ts';
import { newOutline } from './outline.ts';
import type { Section } from '../section.ts';

const concealed = /\b(display\s*:\s*none|visibility\s*:\s*hidden)\b/i;

export async function readHtml(html: string): Promise<readonly Section[]> {
  // The tokenizer alone: the parser over it takes the square of the depth for what nests deep.
  const { Tokenizer } = await import('htmlparser2');
  const outline = newOutline();
  const flow = flowingText();
  const elements = openElements();
  let heading: { readonly level: number; readonly depth: number } | null = null;
  let tag = '';
  let attribute = '';
  let isHidden = false;
  let isFirstInPre = false;
  /** Of the row that is being read. */
  let cells = 0;

  const endHeading = (): void => {
    if (heading === null) return;
    outline.enter(heading.level, flow.text.replaceAll(/\s+/g, ' ').trim());
    heading = null;
    flow.lineBreak();
  };
  const write = (chunk: string): void => {
    if (!elements.innermost.isRead) return;
    if (!elements.innermost.isLaidOut) return flow.words(chunk);
    const own = isFirstInPre ? chunk.replace(/^\r?\n/, '') : chunk;
    isFirstInPre = false;
    if (own !== '') flow.verbatim(own.replaceAll(/\r\n?/g, '\n'));
  };
  const open = (name: string): void => {
    elements.open(name, isHidden);
    if (!elements.innermost.isRead) return;
    // A row is one line; what stands in a cell stays in it, and an empty one keeps its place.
    if (isCell(name)) {
      if (elements.cells > 1) flow.space();
      else if (cells++ > 0) flow.mark('|');
      return;
    }
    if (elements.cells > 0 && (name === 'br' || isBlock(name))) return flow.space();
    if (name === 'tr') {
      // The row before may have been left open.
      if (cells > 0) flow.lineBreak();
      cells = 0;
      return;
    }
    if (name === 'br') flow.lineBreak();
    if (!isBlock(name)) return;
    const level = levelOf(name);
    // A heading that nobody closed ends where something else begins.
    if (level !== null || flow.text !== '') endHeading();
    flow.lineBreak();
    isFirstInPre = name === 'pre';
    if (level === null) return;
    outline.add(flow.take());
    heading = { level, depth: elements.depth };
  };
  const close = (name: string): void => {
    elements.close(name);
    if (!elements.innermost.isRead) return;
    if (heading !== null && (levelOf(name) !== null || elements.depth < heading.depth)) endHeading();
    if (elements.cells > 0) flow.space();
    else if (isBlock(name)) flow.lineBreak();
    if (name === 'tr' && elements.cells === 0) cells = 0;
  };

  const tokenizer = new Tokenizer(
    {},
    {
      ontext: (start, end) => write(html.slice(start, end)),
      ontextentity: (point) => write(String.fromCodePoint(point)),
      onopentagname(start, end) {
        tag = html.slice(start, end).toLowerCase();
        isHidden = false;
      },
      onopentagend: () => open(tag),
      onselfclosingtag() {
        open(tag);
        if (!isEmpty(tag)) close(tag);
      },
      onclosetag: (start, end) => close(html.slice(start, end).toLowerCase()),
      onattribname(start, end) {
        attribute = html.slice(start, end).toLowerCase();
        isHidden ||= attribute === 'hidden';
      },
      onattribdata(start, end) {
        if (attribute === 'style') isHidden ||= concealed.test(html.slice(start, end));
      },
      isInForeignContext: () => elements.has('svg') || elements.has('math'),
      onattribentity() {},
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
