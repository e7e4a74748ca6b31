/** Reads the text of a free-text tool out of the arguments of a function with one text field, while they stream. */
import { isJsonObject } from '../../types/json.ts';
import { parseLenient } from '../lenient-arguments.ts';

/** An object up to the start of its first text: `{"input":"`. */
const start = /^\s*\{\s*"(?:[^"\\]|\\.)*"\s*:\s*"/;
/** What may still become such a start. */
const startSoFar = /^\s*(?:\{\s*(?:"(?:[^"\\]|\\.)*(?:\\|"\s*(?::\s*)?)?)?)?$/;

const escapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

export class TextFieldReader {
  #given = '';
  #state: 'start' | 'text' | 'whole' | 'done' = 'start';
  /** The rest of an escape sequence that is not complete. */
  #pending = '';
  /** The first half of a character beyond the basic plane. */
  #half = '';

  /** The text in the next part of the arguments. */
  push(part: string): string {
    if (this.#state === 'text') return this.#wholeCharacters(this.#unescape(part));
    if (this.#state === 'done') return '';
    this.#given += part;
    if (this.#state === 'whole') return '';
    const matched = start.exec(this.#given);
    if (matched !== null) {
      this.#state = 'text';
      return this.#wholeCharacters(this.#unescape(this.#given.slice(matched[0].length)));
    }
    // Anything else is read at its end.
    if (!startSoFar.test(this.#given)) this.#state = 'whole';
    return '';
  }

  /** What is left at the end: the arguments of a model that did not write the object. */
  end(): string {
    if (this.#state === 'text' || this.#state === 'done') return '';
    const whole = parseLenient(this.#given);
    if (typeof whole === 'string') return whole;
    if (!isJsonObject(whole)) return this.#given;
    const text = Object.values(whole).find((value) => typeof value === 'string');
    return typeof text === 'string' ? text : Object.keys(whole).length === 0 ? '' : this.#given;
  }

  /** Holds back half a character until its other half has come. */
  #wholeCharacters(part: string): string {
    const text = this.#half + part;
    const isCut = this.#state !== 'done' && /[\ud800-\udbff]$/.test(text);
    this.#half = isCut ? text.slice(-1) : '';
    return isCut ? text.slice(0, -1) : text;
  }

  #unescape(part: string): string {
    const given = this.#pending + part;
    this.#pending = '';
    let text = '';
    let at = 0;
    while (at < given.length) {
      const sign = given[at] as string;
      if (sign === '"') {
        this.#state = 'done';
        return text;
      }
      if (sign !== '\\') {
        const next = given.slice(at).search(/["\\]/);
        const end = next === -1 ? given.length : at + next;
        text += given.slice(at, end);
        at = end;
        continue;
      }
      const length = given[at + 1] === 'u' ? 6 : 2;
      if (at + length > given.length) {
        this.#pending = given.slice(at);
        return text;
      }
      const escaped = given[at + 1] as string;
      text += length === 6 ? String.fromCharCode(Number.parseInt(given.slice(at + 2, at + 6), 16)) : (escapes[escaped] ?? escaped);
      at += length;
    }
    return text;
  }
}
