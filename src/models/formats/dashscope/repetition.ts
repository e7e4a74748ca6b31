/**
 * Tells pieces of text that go on from pieces that repeat the whole, and gives what is new either way. DashScope is always asked for
 * the former (`incremental_output`); some models answer the latter all the same, and nothing in the answer says which.
 */
import { GatewayError } from '../../../types/errors.ts';

/** So many different characters must have come again at the same place before chance is ruled out: "1" and "10" prove nothing. */
const proof = 6;

function isCompleteObject(text: string): boolean {
  if (!text.startsWith('{') || !text.trimEnd().endsWith('}')) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** For one text of one answer. While both readings are possible, what only one of them would say is held back. */
export class Repetition {
  #reading: 'open' | 'parts' | 'whole' = 'open';
  /** The last piece; while open and when whole, that is all the text if pieces repeat it. */
  #last = '';
  /** How much of `#last` has been given out. */
  #given = 0;
  /** What to give out if the pieces turn out to be parts. */
  #held = '';
  #evidence = 0;

  /** What is new in this piece, with what was held back if that is settled now. Throws where a repeated text changes. */
  take(piece: string): string {
    if (this.#reading === 'parts') return piece;
    if (this.#reading === 'whole') return this.#takeWhole(piece);
    if (this.#last === '') {
      this.#last = piece;
      this.#given = piece.length;
      return piece;
    }
    if (piece === '' || !piece.startsWith(this.#last)) {
      this.#reading = 'parts';
      return this.#held + piece;
    }
    if (piece.length > this.#last.length) this.#evidence += new Set(this.#last).size;
    if (isCompleteObject(this.#last)) this.#evidence += proof;
    this.#held += piece;
    this.#last = piece;
    return this.#evidence >= proof ? this.#settle() : '';
  }

  /** The text is over. One that was still repeating itself then was repeated: a stream of parts ends with an empty one. */
  end(): string {
    return this.#reading === 'open' && this.#held !== '' ? this.#settle() : '';
  }

  #settle(): string {
    this.#reading = 'whole';
    const fresh = this.#last.slice(this.#given);
    this.#given = this.#last.length;
    return fresh;
  }

  #takeWhole(piece: string): string {
    if (this.#last.startsWith(piece)) return '';
    if (!piece.startsWith(this.#last)) {
      throw new GatewayError('upstream_invalid_response', 'The vendor changed text that it had already sent. Try again.');
    }
    this.#last = piece;
    return this.#settle();
  }
}
