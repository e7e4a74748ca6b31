/**
 * Separates reasoning at the start of a text from the answer. It ends with `</think>` and begins with `<think>`, which is missing where the
 * vendor's template has put it at the end of the prompt. Tags may arrive in pieces.
 */
import type { FinishReason } from '../../../types/chat.ts';

const opening = '<think>';
const closing = '</think>';

export interface SeparatedText {
  readonly thought: string;
  readonly text: string;
}

const nothing: SeparatedText = { thought: '', text: '' };

/** Handles one choice of one answer. */
export class ThinkTagReader {
  #state: 'start' | 'thinking' | 'gap' | 'text' = 'start';
  #held = '';
  readonly #startsInside: boolean;
  /** The reasoning of a stream that began without a tag. */
  #unopened = '';
  #opened = false;

  /** `startsInside`: the text begins with reasoning, with or without an opening tag. */
  constructor({ startsInside }: { readonly startsInside: boolean }) {
    this.#startsInside = startsInside;
  }

  /** The reasoning and answer text that `text` adds. An incomplete tag is held back. `whole`: nothing follows. */
  push(text: string, whole = false): SeparatedText {
    let rest = this.#held + text;
    this.#held = '';
    let thought = '';
    if (this.#state === 'start') {
      const begun = rest.trimStart();
      if (begun.length < opening.length && opening.startsWith(begun)) {
        this.#held = rest;
        return nothing;
      }
      if (begun.startsWith(opening)) {
        this.#state = 'thinking';
        this.#opened = true;
        rest = begun.slice(opening.length);
      } else if (this.#startsInside) {
        if (whole && !rest.includes(closing)) {
          this.#held = rest;
          this.#state = 'thinking';
          return nothing;
        }
        this.#state = 'thinking';
      } else this.#state = whole && endsReasoning(rest) ? 'thinking' : 'text';
    }
    if (this.#state === 'thinking') {
      const end = rest.indexOf(closing);
      if (end < 0) {
        const held = possibleTagLength(rest);
        this.#held = rest.slice(rest.length - held);
        const told = rest.slice(0, rest.length - held);
        if (!this.#opened) this.#unopened += told;
        return { thought: told, text: '' };
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

  /** The vendor separates the reasoning itself, so that the text does not begin with it. */
  separatedByVendor(): void {
    if (this.#startsInside && this.#state === 'start') this.#state = 'text';
  }

  /**
   * Ends the answer: held text was not a tag. Text that ended by `stop` without any tag was the answer after all: it is returned as text,
   * even if it was given out as reasoning before.
   */
  end(reason: FinishReason): SeparatedText {
    const held = this.#held;
    this.#held = '';
    if (this.#state !== 'thinking') return { thought: '', text: held };
    if (this.#opened || reason !== 'stop') return { thought: held, text: '' };
    return { thought: '', text: this.#unopened + held };
  }
}

/** True when `text` has a closing tag that no opening tag precedes, and that is not quoted. */
function endsReasoning(text: string): boolean {
  const end = text.indexOf(closing);
  const start = text.indexOf(opening);
  return end >= 0 && (start < 0 || start > end) && !/["'`]/.test(text.charAt(end - 1));
}

/** The number of characters at the end of `text` that may start the closing tag. */
function possibleTagLength(text: string): number {
  for (let length = Math.min(closing.length - 1, text.length); length > 0; length--) {
    if (text.endsWith(closing.slice(0, length))) return length;
  }
  return 0;
}
