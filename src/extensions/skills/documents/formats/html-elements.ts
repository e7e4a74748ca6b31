/** Tracks the open elements of HTML and closes omitted end tags as browsers do. */

/** Elements without readable content. */
const unread = new Set(['script', 'style', 'noscript', 'template', 'svg', 'nav', 'head', 'title', 'iframe', 'object']);
const ofHead = new Set(['base', 'link', 'meta', 'noscript', 'script', 'style', 'template', 'title']);
const empty = new Set(['area', 'base', 'br', 'col', 'embed', 'hr', 'img', 'input', 'link', 'meta', 'param', 'source', 'track', 'wbr']);
const within = new Set(
  `a abbr acronym audio b bdi bdo big br cite code data del dfn em embed font i iframe img input ins kbd label map mark meter nobr noscript
  object output picture progress q rb rp rt rtc ruby s samp script slot small source span strike strong style sub sup svg template time track
  tt u var video wbr area base link meta param`.split(/\s+/),
);

/** True for elements on lines of their own: all that are not known to be inline. Cells share the line of their row. */
export const isBlock = (name: string): boolean => !within.has(name) && !isCell(name);
export const isCell = (name: string): boolean => name === 'td' || name === 'th';
export const isEmpty = (name: string): boolean => empty.has(name);
export const levelOf = (name: string): number | null => (/^h[1-6]$/.test(name) ? Number(name[1]) : null);

/** Elements with optional end tags, and the start tags that end them. */
const endedBy = new Map<string, (name: string) => boolean>([
  ['head', (name) => !ofHead.has(name)],
  ['p', isBlock],
  ['li', (name) => name === 'li'],
  ['dt', (name) => name === 'dt' || name === 'dd'],
  ['dd', (name) => name === 'dt' || name === 'dd'],
  ['td', (name) => isCell(name) || name === 'tr' || name === 'tbody' || name === 'tfoot'],
  ['th', (name) => isCell(name) || name === 'tr' || name === 'tbody' || name === 'tfoot'],
  ['tr', (name) => name === 'tr' || name === 'tbody' || name === 'tfoot'],
  ['option', (name) => name === 'option' || name === 'optgroup'],
]);

interface Element {
  readonly name: string;
  readonly isRead: boolean;
  /** White space in the element is significant. */
  readonly isLaidOut: boolean;
  /** A cell of a data table, not of a layout table. */
  readonly isCell: boolean;
}

export interface OpenElements {
  readonly depth: number;
  readonly innermost: Element;
  /** The depth of nested data table cells. */
  readonly cells: number;
  has(name: string): boolean;
  open(name: string, isHidden: boolean, isInLayout?: boolean): void;
  /** Closes the element and the open elements in it. Does nothing when it is not open. */
  close(name: string): void;
}

/** A stack with a count per name: closing an element that is not open must not scan the stack. */
export function openElements(): OpenElements {
  const outermost: Element = { name: '', isRead: true, isLaidOut: false, isCell: false };
  const stack: Element[] = [];
  const counts = new Map<string, number>();
  const innermost = (): Element => stack.at(-1) ?? outermost;
  const count = (name: string, step: number): void => void counts.set(name, (counts.get(name) ?? 0) + step);
  let cells = 0;
  const pop = (): string => {
    const { name, isCell: wasCell } = stack.pop() ?? outermost;
    if (wasCell) cells--;
    count(name, -1);
    return name;
  };
  return {
    get depth() {
      return stack.length;
    },
    get innermost() {
      return innermost();
    },
    get cells() {
      return cells;
    },
    has: (name) => (counts.get(name) ?? 0) > 0,
    open(name, isHidden, isInLayout = false) {
      while (endedBy.get(innermost().name)?.(name) === true) pop();
      if (empty.has(name)) return;
      const { isRead, isLaidOut } = innermost();
      const isOfTable = isCell(name) && !isInLayout;
      if (isOfTable) cells++;
      stack.push({
        name,
        isRead: isRead && !isHidden && !unread.has(name),
        isLaidOut: isLaidOut || name === 'pre',
        isCell: isOfTable,
      });
      count(name, 1);
    },
    close(name) {
      if ((counts.get(name) ?? 0) > 0) while (pop() !== name);
    },
  };
}
