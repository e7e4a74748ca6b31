/** Text as it flows in a page: any white space is one space, blocks stand apart. */

export interface TextFlow {
  /** What was written since it was last taken. */
  readonly text: string;
  take(): string;
  words(chunk: string): void;
  /** As it is, line breaks and spaces too. */
  verbatim(chunk: string): void;
  space(): void;
  /** Words of the reader's own, apart from what is around them. */
  mark(own: string): void;
  /** Stands before what comes next in its line, and is gone if nothing does before the next one. */
  item(own: string): void;
  /** A mark at the beginning and the end of some words, close to them; none if there are none. */
  begin(own: string): void;
  end(own: string): void;
  /** Two in a row make an empty line, more than two nothing else. */
  lineBreak(): void;
}

export function createTextFlow(): TextFlow {
  let text = '';
  let breaks = 0;
  let isApart = false;
  let before = '';
  let opened = '';
  const write = (own: string): void => {
    if (text !== '') text += breaks > 0 ? '\n'.repeat(breaks) : isApart ? ' ' : '';
    text += `${before}${opened}${own}`;
    breaks = 0;
    isApart = false;
    before = '';
    opened = '';
  };
  return {
    get text() {
      return text;
    },
    take() {
      const taken = text;
      text = '';
      breaks = 0;
      isApart = false;
      return taken;
    },
    words(chunk) {
      const own = chunk.replaceAll(/\s+/g, ' ');
      isApart ||= own.startsWith(' ');
      if (own === ' ') return;
      write(own.trim());
      isApart = own.endsWith(' ');
    },
    verbatim: write,
    space() {
      isApart = true;
    },
    mark(own) {
      isApart = true;
      write(own);
      isApart = true;
    },
    item(own) {
      before = own;
    },
    begin(own) {
      opened += own;
    },
    end(own) {
      if (opened.endsWith(own)) opened = opened.slice(0, -own.length);
      else if (text !== '') text += own;
    },
    lineBreak() {
      breaks = Math.min(breaks + 1, 2);
    },
  };
}
