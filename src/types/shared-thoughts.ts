/** Reasoning that all nodes remember, for clients that drop it. */
export interface SharedThoughts {
  /** The texts of the known keys. Never rejects: without an answer in time no key is known. */
  read(keys: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Stores a text for an hour. Returns at once; a failed write is dropped. */
  keep(key: string, text: string): void;
}

/** How long reasoning is remembered. */
export const thoughtsKeptMs = 3_600_000;
/** Longer texts stay on their node. */
export const longestSharedThoughts = 256 * 1024;
