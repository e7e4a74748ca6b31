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
  /** The last piece; all the text so far if pieces repeat it. */
  #last = '';
  /** The pieces that could be either, after the first one, which is new whichever way it is read. */
  #held: string[] = [];
  /** The piece before the first held one. */
  #first = '';
  #evidence = 0;

  /** What is new in this piece, with what was held back if that is settled now. Throws where a repeated text changes. */
  take(piece: string): string[] {
    if (this.#reading === 'parts') return piece === '' ? [] : [piece];
    if (this.#reading === 'whole') return this.#takeWhole(piece);
    if (this.#last === '') {
      this.#first = piece;
      this.#last = piece;
      return piece === '' ? [] : [piece];
    }
    if (piece === '' || !piece.startsWith(this.#last)) {
      this.#reading = 'parts';
      return piece === '' ? this.#held : [...this.#held, piece];
    }
    if (piece.length > this.#last.length) this.#evidence += new Set(this.#last).size;
    if (isCompleteObject(this.#last)) this.#evidence += proof;
    this.#held.push(piece);
    this.#last = piece;
    return this.#evidence >= proof ? this.#settle() : [];
  }

  /** The text is over. One that was still repeating itself then was repeated: a stream of parts ends with an empty one. */
  end(): string[] {
    return this.#reading === 'open' ? this.#settle() : [];
  }

  #settle(): string[] {
    this.#reading = 'whole';
    let before = this.#first.length;
    const fresh = this.#held.map((piece) => {
      const added = piece.slice(before);
      before = piece.length;
      return added;
    });
    this.#held = [];
    return fresh.filter((added) => added !== '');
  }

  #takeWhole(piece: string): string[] {
    if (this.#last.startsWith(piece)) return [];
    if (!piece.startsWith(this.#last)) {
      throw new GatewayError('upstream_invalid_response', 'The vendor changed text that it had already sent. Try again.');
    }
    const fresh = piece.slice(this.#last.length);
    this.#last = piece;
    return [fresh];
  }
}
