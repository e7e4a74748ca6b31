/** How one vendor's OpenAI format differs from OpenAI's own: data, one object per vendor. What is left out here is as OpenAI has it. */
import type { FinishReason } from '../../types/chat.ts';
import type { ErrorCode } from '../../types/errors.ts';
import type { Prefill } from '../../types/provider.ts';
import type { StructuredOutputSupport } from '../../types/structured-output.ts';
import type { CitationList, CountPaths, Operation } from '../../types/wire-format.ts';

/** How a vendor is told to think, from OpenAI's `reasoning_effort`. The vendor's own fields, where the caller sends them, always win. */
export type ThinkingSwitch =
  /** `reasoning_effort` with these words; the nearest one is taken. */
  | { readonly by: 'effort'; readonly words: readonly string[] }
  /** `thinking: { type }` with `disabled` or, unless `on` is another word, `enabled`; `effort`: `reasoning_effort` goes along, as it is. */
  | { readonly by: 'thinking-type'; readonly on?: string; readonly effort?: boolean }
  /** `enable_thinking`, and `thinking_budget` in tokens. */
  | { readonly by: 'enable-thinking'; readonly budget: boolean }
  /** `chat_template_kwargs`, as servers of open models take it. */
  | { readonly by: 'chat-template' }
  /** OpenRouter's `reasoning: { effort }`. */
  | { readonly by: 'reasoning-object' }
  /** No such switch: the field is left out, with a warning. */
  | { readonly by: 'none' };

/** What some models of a vendor take otherwise than the others. */
export interface Variant extends Partial<Pick<Dialect, 'drops' | 'refuses' | 'clamps' | 'toolChoices' | 'thinking' | 'maxTokens'>> {
  /** Names of models, `*` for any characters. */
  readonly models: readonly string[];
}

export interface Dialect {
  readonly kind: string;
  readonly title: string;
  /** Up to and with the version; null: each row names its own. */
  readonly baseUrl: string | null;
  /** Other addresses of the same vendor, for the page of providers. */
  readonly otherUrls?: readonly string[];
  /** The vendor's own description of its API. */
  readonly source: string;
  readonly operations: readonly Operation[];
  /** What the vendor's documents say of JSON Schemas in `response_format`. Left out: it holds its answers to them, as OpenAI does. */
  readonly structuredOutput?: StructuredOutputSupport;
  /** Servers that run without a key. */
  readonly keyless?: boolean;
  /** The field for the most tokens, where the vendor knows only one of OpenAI's two. */
  readonly maxTokens?: 'max_tokens' | 'max_completion_tokens';
  /** Wishes that the vendor has no field for: left out with a warning. */
  readonly drops?: readonly string[];
  /** Fields without which the answer would mean something else: refused, unless they ask for nothing. */
  readonly refuses?: readonly string[];
  /** Ranges of numbers, smaller than OpenAI's: a value beyond is moved to the border, with a warning. */
  readonly clamps?: Readonly<Record<string, readonly [from: number, to: number]>>;
  /** The role `developer` is unknown; `system` says the same. */
  readonly developerAsSystem?: boolean;
  /** Parts of text in the content of these roles are joined to one text; the vendor drops lists of parts in silence. */
  readonly joinsText?: readonly string[];
  /** The words of `tool_choice` that the vendor takes. */
  readonly toolChoices?: readonly string[];
  readonly thinking?: ThinkingSwitch;
  /** Fields of earlier messages that the vendor wants back. */
  readonly replays?: readonly ('reasoning_content' | 'reasoning_details')[];
  /** Models that answer only as a stream, unless the row says otherwise. */
  readonly streamOnly?: readonly string[];
  readonly cacheControl?: boolean;
  readonly embeddingsBatch?: number;
  /** How it goes on from the beginning of an answer; an empty object where the last message says enough. Left out: it cannot, or is not known to. */
  readonly prefill?: Prefill;
  readonly thinkTags?: boolean;
  /** Lists of web pages in answers beyond the common ones (`src/models/citation-lists.ts`). */
  readonly citations?: readonly CitationList[];
  /** Where the answers count what the common table of OpenAI's format does not know. */
  readonly usage?: CountPaths;
  /** The currency of the cost that the answers name. */
  readonly costCurrency?: string;
  readonly finishReasons?: Readonly<Record<string, FinishReason | 'failure'>>;
  readonly errorCodes?: Readonly<Record<string, ErrorCode>>;
  /** The first one that names the model counts; what it says replaces what stands above. */
  readonly variants?: readonly Variant[];
}
