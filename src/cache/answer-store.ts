/** Where kept answers lie: in this process, or in Redis for all nodes. One suite tests both. */

export interface AnswerStore {
  /** Null where there is none, or where it cannot be found out soon. Never throws or rejects. */
  get(key: string): string | null | Promise<string | null>;
  /** For at most so long. Not waited for; an answer that cannot be kept is asked for again. */
  set(key: string, text: string, ttlMs: number): void;
}
