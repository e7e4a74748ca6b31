/**
 * Distinguishes incremental text pieces from cumulative ones and returns the new text of each. Requests always ask for incremental pieces
 * (`incremental_output`). Some models send cumulative ones without saying so.
 */
import { GatewayError } from '../../../types/errors.ts';

/** This many distinct characters must repeat at the same position before chance is excluded: "1" and "10" prove nothing. */
const requiredEvidence = 6;

function isCompleteObject(text: string): boolean {
  if (!text.startsWith('{') || !text.trimEnd().endsWith('}')) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Handles one text of one answer. While both readings are possible, text that only one of them would emit is held back. */
export class Repetition {
  #reading: 'open' | 'parts' | 'whole' = 'open';
  /** The last piece. In cumulative mode it is all the text so far. */
  #last = '';
  /** Pieces that could be either, after the first piece, which is new in both readings. */
  #held: string[] = [];
  /** The piece before the first held one. */
  #first = '';
  #evidence = 0;

  /** The new text of this piece, with the held text once the mode is known. Throws when a cumulative text changes. */
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
    if (isCompleteObject(this.#last)) this.#evidence += requiredEvidence;
    this.#held.push(piece);
    this.#last = piece;
    return this.#evidence >= requiredEvidence ? this.#settle() : [];
  }

  /** Ends the text. A text that was still repeating is cumulative: an incremental stream ends with an empty piece. */
  end(): string[] {
    return this.#reading === 'open' ? this.#settle() : [];
  }

  #settle(): string[] {
    this.#reading = 'whole';
    let before = this.#first.length;
    const texts = this.#held.map((piece) => {
      const added = piece.slice(before);
      before = piece.length;
      return added;
    });
    this.#held = [];
    return texts.filter((text) => text !== '');
  }

  #takeWhole(piece: string): string[] {
    if (this.#last.startsWith(piece)) return [];
    if (!piece.startsWith(this.#last)) {
      throw new GatewayError('upstream_invalid_response', 'The vendor changed text that it had already sent. Try again.');
    }
    const added = piece.slice(this.#last.length);
    this.#last = piece;
    return [added];
  }
}
