/** How a vendor's OpenAI format differs from OpenAI's: data, one object per vendor. A member left out here means no difference. */
import type { FinishReason } from '../../types/chat.ts';
import type { ErrorCode } from '../../types/errors.ts';
import type { JsonObject } from '../../types/json.ts';
import type { Prefill } from '../../types/provider.ts';
import type { RequestLimits } from '../../types/request-limits.ts';
import type { StructuredOutputSupport } from '../../types/structured-output.ts';
import type { CitationList, CountPaths, Operation, ThinkTags } from '../../types/wire-format.ts';

/** How OpenAI's `reasoning_effort` is written for a vendor. The vendor's own fields from the caller always take precedence. */
export type ThinkingSwitch =
  /** `reasoning_effort` with these values; the nearest one is taken. Without `words`: the values that the model takes. `off`: the fields that disable thinking. */
  | { readonly by: 'effort'; readonly words?: readonly string[]; readonly off?: JsonObject }
  /**
   * `thinking: { type }` with `disabled`, or with `on` (default `enabled`). `efforts`: `reasoning_effort` is sent too, for models with
   * levels: with the nearest of these values, or unchanged (`any`) because the vendor maps every value itself.
   */
  | { readonly by: 'thinking-type'; readonly on?: string; readonly efforts?: readonly string[] | 'any' }
  /** `enable_thinking`, and `thinking_budget` in tokens. */
  | { readonly by: 'enable-thinking'; readonly budget: boolean }
  /** `chat_template_kwargs`, for servers of open models, and `reasoning_effort` for models with levels. */
  | { readonly by: 'chat-template' }
  /** OpenRouter's `reasoning: { effort }`. */
  | { readonly by: 'reasoning-object' }
  /** No switch exists: the field is left out, with a warning. */
  | { readonly by: 'none' };

/** Differences of some models from the vendor's other models. */
export interface Variant extends Partial<Pick<Dialect, 'drops' | 'refuses' | 'clamps' | 'toolChoices' | 'thinking' | 'maxTokens'>> {
  /** Model names; `*` matches any characters. */
  readonly models: readonly string[];
}

export interface Dialect {
  readonly kind: string;
  readonly title: string;
  /** Up to and including the version. Null: each row has its own. */
  readonly baseUrl: string | null;
  /** Other addresses of the same vendor, for the providers page. */
  readonly otherUrls?: readonly string[];
  /** The vendor's own description of its API. */
  readonly source: string;
  readonly operations: readonly Operation[];
  /** The vendor has OpenAI's Responses too; these models use it unless the row says otherwise, `*` for any characters. */
  readonly responses?: {
    readonly models: readonly string[];
    readonly source: string | null;
    /** What the vendor has of it beyond messages, reasoning and functions. Left out: everything. */
    readonly features?: readonly string[];
  };
  /** The vendor has OpenAI's free-text tools (`custom`). */
  readonly customTools?: boolean;
  /** Support for JSON Schema in `response_format`, by the vendor's documentation. Default: answers always follow the schema, as OpenAI's do. */
  readonly structuredOutput?: StructuredOutputSupport;
  /** True for servers that need no key. */
  readonly keyless?: boolean;
  /** The field for the token limit, when the vendor knows only one of OpenAI's two. */
  readonly maxTokens?: 'max_tokens' | 'max_completion_tokens';
  /** Optional fields that the vendor lacks: left out with a warning. */
  readonly drops?: readonly string[];
  /** Fields that change the meaning of the answer: refused, unless their value has no effect. */
  readonly refuses?: readonly string[];
  /** Number ranges narrower than OpenAI's: a value outside is moved to the nearest limit, with a warning. */
  readonly clamps?: Readonly<Record<string, readonly [from: number, to: number]>>;
  /** The vendor does not know the role `developer`: it becomes `system`. */
  readonly developerAsSystem?: boolean;
  /** Roles whose text parts are joined to one text, because the vendor silently drops lists of parts. */
  readonly joinsText?: readonly string[];
  /** The values of `tool_choice` that the vendor accepts. */
  readonly toolChoices?: readonly string[];
  readonly thinking?: ThinkingSwitch;
  /** Fields of earlier messages that the vendor requires again, for every model. */
  readonly replays?: readonly ('reasoning_content' | 'reasoning_details')[];
  /** Where this vendor takes thoughts back, for models that want them. Default: `reasoning_content`. Empty: it refuses unknown fields. */
  readonly thoughtFields?: readonly ('reasoning_content' | 'reasoning' | 'reasoning_details')[];
  /** The `format` of the `reasoning_details` that are written from plain thoughts, where the vendor wants them. */
  readonly detailsFormat?: string;
  /** How much of each thing the vendor takes. */
  readonly limits?: RequestLimits;
  /** Fields that every chat gets, unless the caller sets them. */
  readonly sets?: JsonObject;
  /** Models that only stream, unless the row says otherwise. */
  readonly streamOnly?: readonly string[];
  readonly cacheControl?: boolean;
  readonly embeddingsBatch?: number;
  /** How the vendor continues the beginning of an answer. An empty object: the last assistant message suffices. Left out: not supported or unknown. */
  readonly prefill?: Prefill;
  readonly thinkTags?: ThinkTags;
  /** Lists of web pages in answers, beyond the common ones (`src/models/citation-lists.ts`). */
  readonly citations?: readonly CitationList[];
  /** Where answers hold counts that the common table of OpenAI's format lacks. */
  readonly usage?: CountPaths;
  /** The currency of the cost in answers. */
  readonly costCurrency?: string;
  readonly finishReasons?: Readonly<Record<string, FinishReason | 'failure'>>;
  readonly errorCodes?: Readonly<Record<string, ErrorCode>>;
  /** The first variant that names the model applies. Its members replace those above. */
  readonly variants?: readonly Variant[];
}
