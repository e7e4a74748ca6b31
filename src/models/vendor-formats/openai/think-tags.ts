/** Separates reasoning between `<think>` and `</think>` at the start of a text from the answer. Tags may arrive in pieces. */

const opening = '<think>';
const closing = '</think>';

export interface SeparatedText {
  readonly thought: string;
  readonly text: string;
}

/** Handles one choice of one answer. */
export class ThinkTagReader {
  #state: 'start' | 'thinking' | 'gap' | 'text' = 'start';
  #held = '';

  /** The reasoning and answer text that `text` adds. An incomplete tag is held back. */
  push(text: string): SeparatedText {
    let rest = this.#held + text;
    this.#held = '';
    let thought = '';
    if (this.#state === 'start') {
      const begun = rest.trimStart();
      if (begun.length < opening.length && opening.startsWith(begun)) {
        this.#held = rest;
        return { thought: '', text: '' };
      }
      if (begun.startsWith(opening)) {
        this.#state = 'thinking';
        rest = begun.slice(opening.length);
      } else this.#state = 'text';
    }
    if (this.#state === 'thinking') {
      const end = rest.indexOf(closing);
      if (end < 0) {
        const held = possibleTagLength(rest);
        this.#held = rest.slice(rest.length - held);
        return { thought: rest.slice(0, rest.length - held), text: '' };
      }
      thought = rest.slice(0, end);
      rest = rest.slice(end + closing.length);
      this.#state = 'gap';
    }
    if (this.#state === 'gap') {
      // The empty lines between reasoning and answer belong to neither.
      rest = rest.trimStart();
      if (rest !== '') this.#state = 'text';
    }
    return { thought, text: rest };
  }

  /** Ends the answer: held text was not a tag. */
  end(): SeparatedText {
    const held = this.#held;
    this.#held = '';
    return this.#state === 'thinking' ? { thought: held, text: '' } : { thought: '', text: held };
  }
}

/** The number of characters at the end of `text` that may start the closing tag. */
function possibleTagLength(text: string): number {
  for (let length = Math.min(closing.length - 1, text.length); length > 0; length--) {
    if (text.endsWith(closing.slice(0, length))) return length;
  }
  return 0;
}
