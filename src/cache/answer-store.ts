/** The store of cached answers: process memory or Redis. One test suite covers both. */

export interface AnswerStore {
  /** Null on a miss and when the store is slow or away. Never throws or rejects. */
  get(key: string): string | null | Promise<string | null>;
  /** Stores the text for at most `ttlMs`. Not awaited: a failed write is a later miss. */
  set(key: string, text: string, ttlMs: number): void;
}
