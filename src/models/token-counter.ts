/** Counts the tokens of a text by byte pair encoding, with the ranks of o200k. */
import { O200K_TOKEN_SPLIT_REGEX } from 'gpt-tokenizer/encodingParams/constants';
import { TokenRanks } from './token-ranks.ts';

/** Longer words are counted in parts, because the work for one grows with the square of its length. */
const longestBytes = 256;
const encoder = new TextEncoder();

export class TokenCounter {
  readonly #ranks: TokenRanks;
  #bytes = new Uint8Array(1_024);
  /** Where each part of a word begins, and the rank of that part merged with the next one. */
  readonly #starts = new Int32Array(longestBytes + 2);
  readonly #merged = new Int32Array(longestBytes + 2);

  constructor(ranks: TokenRanks) {
    this.#ranks = ranks;
  }

  /** Reads the ranks that the package of the tokenizer brings. */
  static async load(onTurn?: (tokens: number) => void): Promise<TokenCounter> {
    const path = new URL(import.meta.resolve('gpt-tokenizer/data/o200k_base.tiktoken'));
    return new TokenCounter(await TokenRanks.read(path, onTurn));
  }

  count(text: string): number {
    let tokens = 0;
    for (const word of text.match(O200K_TOKEN_SPLIT_REGEX) ?? []) {
      if (this.#bytes.length < word.length * 3) this.#bytes = new Uint8Array(word.length * 3);
      const { written } = encoder.encodeInto(word, this.#bytes);
      for (let at = 0; at < written; at += longestBytes) tokens += this.#countPart(at, Math.min(written, at + longestBytes));
    }
    return tokens;
  }

  /** Merges the pair of the lowest rank until no pair is a token. */
  #countPart(start: number, end: number): number {
    const bytes = this.#bytes;
    if (this.#ranks.rankOf(bytes, start, end) >= 0) return 1;
    const starts = this.#starts;
    const merged = this.#merged;
    let parts = end - start;
    for (let part = 0; part <= parts; part++) starts[part] = start + part;
    const mergedRank = (part: number): number =>
      part + 2 > parts ? -1 : this.#ranks.rankOf(bytes, starts[part] as number, starts[part + 2] as number);
    for (let part = 0; part < parts; part++) merged[part] = mergedRank(part);
    for (;;) {
      let best = -1;
      for (let part = 0; part + 1 < parts; part++) {
        const rank = merged[part] as number;
        if (rank >= 0 && (best === -1 || rank < (merged[best] as number))) best = part;
      }
      if (best === -1) return parts;
      starts.copyWithin(best + 1, best + 2, parts + 1);
      merged.copyWithin(best + 1, best + 2, parts);
      parts--;
      merged[best] = mergedRank(best);
      if (best > 0) merged[best - 1] = mergedRank(best - 1);
    }
  }
}
