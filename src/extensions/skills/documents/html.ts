/** HTML as sections by its headings; what is not read (scripts, styles, navigation) is left out. */
import type { Section } from './section.ts';

const unread = new Set(['script', 'style', 'noscript', 'template', 'svg', 'nav', 'head', 'title', 'iframe', 'object']);
const blocks = /^(p|div|section|article|main|li|ul|ol|tr|table|blockquote|pre|hr|dt|dd|figure|figcaption|header|footer|h[1-6])$/;

export async function readHtml(html: string): Promise<readonly Section[]> {
  const { parse, NodeType, HTMLElement, TextNode } = await import('node-html-parser');
  type Node = ReturnType<typeof parse>['childNodes'][number];
  const sections: Section[] = [];
  const path: string[] = [];
  let text = '';
  const close = (): void => {
    const own = text
      .replaceAll(/[ \t\f]+/g, ' ')
      .replaceAll(/ ?\n ?/g, '\n')
      .replaceAll(/\n{3,}/g, '\n\n')
      .trim();
    if (own !== '') sections.push({ heading: path.filter((part) => part !== '').join(' > '), page: null, text: own });
    text = '';
  };
  // A stack of its own: pages nest deeper than calls may.
  const stack: (Node | string)[] = parse(html.replace(/^\s*<!doctype[^>]*>/i, ''), {
    comment: false,
    lowerCaseTagName: true,
  }).childNodes.toReversed();
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (typeof node === 'string') text += node;
    else if (node.nodeType === NodeType.TEXT_NODE && node instanceof TextNode) text += node.text.replaceAll(/\s+/g, ' ');
    else if (node instanceof HTMLElement) {
      const tag = (node.rawTagName ?? '').toLowerCase();
      if (unread.has(tag)) continue;
      const level = /^h([1-6])$/.exec(tag)?.[1];
      if (level !== undefined) {
        close();
        path.length = Number(level) - 1;
        for (let above = 0; above < path.length; above++) path[above] ??= '';
        path[Number(level) - 1] = node.text.replaceAll(/\s+/g, ' ').trim().slice(0, 200);
        continue;
      }
      const isBlock = blocks.test(tag);
      if (isBlock) stack.push('\n');
      stack.push(...node.childNodes.toReversed());
      if (isBlock) stack.push('\n');
      if (tag === 'td' || tag === 'th') text += ' ';
      else if (tag === 'br') text += '\n';
    }
  }
  close();
  return sections;
}
