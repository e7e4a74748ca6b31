/** How one vendor format is encoded and decoded. A format does no I/O and has no address or credential. */
import type { ChatEvent, ChatRequest, FinishReason, Usage } from './chat.ts';
import type { ErrorCode } from './errors.ts';
import type { JsonObject } from './json.ts';
import type { StructuredOutput } from './structured-output.ts';

export const operations = ['chat', 'embeddings', 'rerank', 'images', 'transcriptions', 'speech'] as const;
/** The operations of a vendor. */
export type Operation = (typeof operations)[number];
/** The operations that a probe can test with a short request. */
export const probedOperations: readonly Operation[] = ['chat', 'embeddings', 'rerank'];

/** A list of web pages that an answer cites. Its entries are objects or addresses. */
export interface CitationList {
  /** The path of the list from the root of an answer or chunk. A leading `message.` starts at the message or delta of a choice. */
  readonly at: string;
  /** The fields of an entry. Defaults: `url`, `title`, `content` and `index`. */
  readonly url?: string;
  readonly title?: string;
  readonly content?: string;
  /** The field with the number by which the text cites the entry, such as `3` or `ref_3`. Default: its position in the list. */
  readonly number?: string;
}

/** The counts of an answer. `seconds` may have a fraction; `cost` is reported by the vendor. */
export type CountName =
  | 'inputTokens'
  | 'outputTokens'
  | 'totalTokens'
  | 'cachedInputTokens'
  | 'cacheWriteTokens'
  | 'cacheWrite1hTokens'
  | 'reasoningTokens'
  | 'audioInputTokens'
  | 'audioOutputTokens'
  | 'imageInputTokens'
  | 'imageOutputTokens'
  | 'pictures'
  | 'seconds'
  | 'milliseconds'
  | 'characters'
  | 'pages'
  | 'searches'
  | 'cost';

/** The location of each count, as paths from the root of an answer in order of precedence. */
export type CountPaths = Readonly<Partial<Record<CountName, readonly string[]>>>;

/**
 * True: reasoning may be in the text, between `<think>` and `</think>`. `unopened`: the text begins with reasoning, and the opening tag
 * may be missing, because the vendor's template ends the prompt with it.
 */
export type ThinkTags = boolean | 'unopened';

/** How one vendor's answers differ from their format. Data, so that a format has no code for single vendors. */
export interface Reading {
  /** Counts that the common table lacks or this vendor defines otherwise. */
  readonly usage?: CountPaths;
  /** The currency of `usage.cost`, which is recorded when the deployment has no price. */
  readonly costCurrency?: string;
  /** Finish reasons that the common table lacks or this vendor defines otherwise. `*` stands for every word that no table has. */
  readonly finishReasons?: Readonly<Record<string, FinishReason | 'failure'>>;
  /** The vendor's own error codes, in lower case. */
  readonly errorCodes?: Readonly<Record<string, ErrorCode>>;
  /** Tells whether the text holds reasoning. */
  readonly thinkTags?: ThinkTags;
  /** Lists of cited web pages in this vendor's answers, checked before those of the common table. */
  readonly citations?: readonly CitationList[];
  /** The number of choices requested, 1 by default. A stream that ends before each has begun is interrupted. */
  readonly choices?: number;
  /** As in `EncodeTarget`, for what the answer itself lacks. */
  readonly warn?: (note: string) => void;
  /** The format of the client's request when it is not OpenAI's. A client of the vendor's own format reads the vendor's own words. */
  readonly clientFormat?: string;
  /** The estimated input tokens of the request, for an answer that counts only its output. */
  readonly estimateInput?: () => number;
}

/**
 * The progress of an open stream. `finished`: every requested choice has its finish reason, and nothing has followed. `refinished`: the
 * same, after content that followed an earlier finish reason. `counted`: the final token counts have arrived as well.
 */
export type StreamProgress = 'open' | 'finished' | 'refinished' | 'counted';

/** The upstream side of one attempt. */
export interface EncodeTarget {
  /** The vendor's own name of the model. */
  readonly model: string;
  readonly stream: boolean;
  /** The provider's name, for refusals: `unsupported_parameter` names the field and the vendor. */
  readonly vendor: string;
  /** Reports in a header what was left out or changed. One short ASCII phrase, such as `seed left out: anthropic has none`. */
  warn(note: string): void;
  /** Fields of earlier messages beyond OpenAI's own that the vendor accepts. All others are removed. */
  readonly replays?: readonly string[];
  /** Changes the JSON body for the dialect (rename, drop, clamp). Its presence rules out splicing raw bytes. */
  readonly adjust?: ((body: JsonObject) => JsonObject) | undefined;
}

/** Decodes the bytes of one streamed answer to events. Stateful, for one answer only. */
export interface ChatDecoder {
  /** The complete events of the bytes so far. Throws GatewayError on an error frame or a malformed stream. */
  push(bytes: Buffer): ChatEvent[];
  /** Determines how long a silent vendor is waited for. */
  readonly progress: StreamProgress;
  /** The counts so far, also of an answer that fails. Null without counts. */
  readonly usage?: Usage | null;
  /** The body has ended, or the wait is over. Returns events that were held back. Throws `upstream_interrupted` when the answer is incomplete. */
  end(): ChatEvent[];
}

export interface ChatFormat {
  /** The request body for the vendor. */
  encodeRequest(request: ChatRequest, target: EncodeTarget): Buffer | string;
  /** A complete answer as one batch, `response-start` to `response-end`. Throws GatewayError for an error in it. */
  decodeResponse(body: Buffer, reading?: Reading): ChatEvent[];
  /** The counts of a complete answer that `decodeResponse` refuses: the vendor bills it. Null without counts. */
  countsOf?(answer: JsonObject, reading?: Reading): Usage | null;
  decoder(reading?: Reading): ChatDecoder;
  /** Headers of the format itself, such as a version, or headers that `request` requires. Names in lower case. */
  headers?(target: EncodeTarget, request: ChatRequest): Readonly<Record<string, string>>;
  /** `bytes`: the format accepts no picture URLs. Pailou fetches them first, so that `encodeRequest` sees data URLs only. */
  readonly pictures?: 'bytes';
  /** How the format enforces a JSON Schema, by the model's name. Undefined: the provider decides. */
  structuredOutput?(model: string): StructuredOutput | undefined;
  /** Expects `reasoning_details` of earlier turns and emits `thought` events, which Pailou remembers for clients that drop them. */
  readonly thoughts?: boolean;
}

/** OpenAI's embeddings request; unknown fields pass. */
export interface EmbeddingsBody extends JsonObject {
  readonly model: string;
  readonly input: string | readonly string[] | readonly number[] | readonly (readonly number[])[];
}

export interface EmbeddingsAnswer {
  /** In the order of the inputs. Base64 strings when the caller requested them. */
  readonly vectors: readonly (readonly number[] | string)[];
  readonly usage: Usage | null;
}

export interface EmbeddingsFormat {
  encodeRequest(body: EmbeddingsBody, target: EncodeTarget): Buffer | string;
  decodeResponse(body: Buffer, reading?: Reading): EmbeddingsAnswer;
  /** As in `ChatFormat`. */
  countsOf?(answer: JsonObject, reading?: Reading): Usage | null;
  /** The maximum number of inputs of one request, when the format defines it. */
  readonly batch?: number;
}

/** The rerank request of Cohere and Jina, which most vendors share; unknown fields pass. */
export interface RerankBody extends JsonObject {
  readonly model: string;
  readonly query: string;
  readonly documents: readonly (string | JsonObject)[];
  readonly top_n?: number;
}

export interface RerankAnswer {
  /** Best first. `index` is the position in the request's `documents`, `score` the vendor's value. */
  readonly results: readonly { readonly index: number; readonly score: number }[];
  readonly usage: Usage | null;
}

export interface RerankFormat {
  encodeRequest(body: RerankBody, target: EncodeTarget): Buffer | string;
  decodeResponse(body: Buffer, reading?: Reading): RerankAnswer;
  /** As in `ChatFormat`. */
  countsOf?(answer: JsonObject, reading?: Reading): Usage | null;
}

export interface WireFormat {
  readonly chat?: ChatFormat;
  readonly embeddings?: EmbeddingsFormat;
  readonly rerank?: RerankFormat;
}
