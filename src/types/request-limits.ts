/** How much of each thing a vendor takes in one chat request. A missing member is no known limit. */
export interface RequestLimits {
  /** Tools offered to the model. */
  readonly tools?: number;
  /** Stop sequences. */
  readonly stops?: number;
  /** Characters of `user`, `safety_identifier` and `prompt_cache_key`. */
  readonly identifier?: number;
  /** Pairs of `metadata`, and characters of a key and of a value. */
  readonly metadata?: { readonly pairs: number; readonly key: number; readonly value: number };
}

/** The limits of OpenAI, which many vendors share. https://platform.openai.com/docs/api-reference/chat/create */
export const openaiLimits: RequestLimits = { tools: 128, stops: 4, identifier: 64, metadata: { pairs: 16, key: 64, value: 512 } };
