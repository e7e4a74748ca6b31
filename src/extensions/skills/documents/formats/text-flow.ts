/** Flows inline text: collapses white space and separates blocks. */

export interface TextFlow {
  /** Returns the text written since the last call. */
  readonly text: string;
  take(): string;
  words(chunk: string): void;
  /** Adds preformatted text with its white space. */
  verbatim(chunk: string): void;
  space(): void;
  /** Adds text of the reader itself, separated from its surroundings. */
  mark(own: string): void;
  /** A prefix for the next text in the line; dropped when the line stays empty. */
  item(own: string): void;
  /** A mark around the enclosed text; left out when there is no text. */
  begin(own: string): void;
  end(own: string): void;
  /** Two line breaks in a row make an empty line; more have no effect. */
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
