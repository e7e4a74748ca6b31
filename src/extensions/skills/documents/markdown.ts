/** Plain text and Markdown as sections by their headings. */
import type { Section } from './section.ts';

/** Headings as in Markdown (`## Two`, or underlined); lines within fences of code are none. */
export function readMarkdown(text: string): readonly Section[] {
  const lines = text.replaceAll(/\r\n?/g, '\n').split('\n');
  const sections: Section[] = [];
  const path: string[] = [];
  let body: string[] = [];
  let inFence = false;
  let isUnderline = false;
  const close = (): void => {
    const own = body.join('\n').trim();
    if (own !== '') sections.push({ heading: path.filter((part) => part !== '').join(' > '), page: null, text: own });
    body = [];
  };
  for (const [index, line] of lines.entries()) {
    if (/^\s*(```|~~~)/.test(line)) inFence = !inFence;
    const marked = inFence ? null : /^(#{1,6})\s+(\S.*?)\s*#*$/.exec(line);
    if (isUnderline) {
      isUnderline = false;
      continue;
    }
    const stands = !inFence && marked === null && line.trim() !== '' && (body.at(-1) ?? '').trim() === '';
    const underline = stands ? /^(=+|-{2,})\s*$/.exec(lines[index + 1] ?? '') : null;
    isUnderline = underline !== null;
    if (marked !== null || underline !== null) {
      close();
      const level = marked?.[1]?.length ?? (underline?.[1]?.startsWith('=') === true ? 1 : 2);
      path.length = level - 1;
      for (let above = 0; above < level - 1; above++) path[above] ??= '';
      path[level - 1] = (marked?.[2] ?? line).trim().slice(0, 200);
    } else body.push(line);
  }
  close();
  return sections;
}
