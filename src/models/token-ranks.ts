/**
 * The tokens of the encoding o200k by their bytes, in typed arrays: a few megabytes, where a Map takes fifty. The file of the tokens is read
 * in slices, so that the event loop is never held.
 */
import { readFile } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Tokens that are read per turn of the event loop. */
const tokensPerTurn = 2_000;
const slotCount = 1 << 19;
const newline = 0x0a;
const space = 0x20;

const base64Letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const base64Values = new Uint8Array(128);
for (let value = 0; value < base64Letters.length; value++) base64Values[base64Letters.charCodeAt(value)] = value;
const padding = '='.charCodeAt(0);

export class TokenRanks {
  /** All tokens, one after the other. */
  readonly #bytes: Uint8Array;
  /** Where each token begins; the last entry is the end of the last token. */
  readonly #starts: Int32Array;
  readonly #ranks: Int32Array;
  /** A hash table with the index of a token plus one; 0 is free. */
  readonly #slots = new Int32Array(slotCount);
  #count = 0;

  private constructor(mostBytes: number, mostTokens: number) {
    this.#bytes = new Uint8Array(mostBytes);
    this.#starts = new Int32Array(mostTokens + 1);
    this.#ranks = new Int32Array(mostTokens);
  }

  /** Reads a file with a token in base64 and its rank on each line. `onTurn` is called after each slice. */
  static async read(path: URL, onTurn: (tokens: number) => void = () => {}): Promise<TokenRanks> {
    const file = await readFile(path);
    // A line has at least four letters of base64, a space, a digit and a newline.
    const ranks = new TokenRanks(Math.ceil(file.length * 0.75), Math.ceil(file.length / 7));
    for (let at = 0; at < file.length;) {
      const before = ranks.#count;
      at = ranks.#addLines(file, at);
      onTurn(ranks.#count - before);
      await nextTurn();
    }
    return ranks;
  }

  /** Adds the tokens of one slice, and returns where the next one begins. */
  #addLines(file: Uint8Array, from: number): number {
    let at = from;
    for (let lines = 0; lines < tokensPerTurn && at < file.length; lines++) {
      let end = this.#starts[this.#count] as number;
      const start = end;
      let bits = 0;
      let held = 0;
      for (; at < file.length && file[at] !== space && file[at] !== newline; at++) {
        const letter = file[at] as number;
        if (letter === padding) continue;
        bits = (bits << 6) | (base64Values[letter] as number);
        held += 6;
        if (held < 8) continue;
        held -= 8;
        this.#bytes[end++] = (bits >> held) & 0xff;
      }
      let rank = 0;
      for (at++; at < file.length && file[at] !== newline; at++) rank = rank * 10 + (file[at] as number) - 0x30;
      at++;
      if (end > start) this.#add(start, end, rank);
    }
    return at;
  }

  #add(start: number, end: number, rank: number): void {
    this.#ranks[this.#count] = rank;
    this.#count++;
    this.#starts[this.#count] = end;
    let slot = hashOf(this.#bytes, start, end);
    while (this.#slots[slot] !== 0) slot = (slot + 1) % slotCount;
    this.#slots[slot] = this.#count;
  }

  /** The rank of the token that these bytes are; -1 for none. Tokens of a low rank are merged first. */
  rankOf(bytes: Uint8Array, start: number, end: number): number {
    for (let slot = hashOf(bytes, start, end); ; slot = (slot + 1) % slotCount) {
      const index = (this.#slots[slot] as number) - 1;
      if (index < 0) return -1;
      if (this.#isToken(index, bytes, start, end)) return this.#ranks[index] as number;
    }
  }

  #isToken(index: number, bytes: Uint8Array, start: number, end: number): boolean {
    const from = this.#starts[index] as number;
    if ((this.#starts[index + 1] as number) - from !== end - start) return false;
    for (let at = start; at < end; at++) if (bytes[at] !== this.#bytes[from + at - start]) return false;
    return true;
  }
}

/** FNV-1a. http://www.isthe.com/chongo/tech/comp/fnv/ */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  return (hash ^ (hash >>> 15)) & (slotCount - 1);
}
