/** How one vendor format is written and read. A format does no I/O and knows no address or credential. */
import type { ChatEvent, ChatRequest, FinishReason, Usage } from './chat.ts';
import type { ErrorCode } from './errors.ts';
import type { JsonObject } from './json.ts';
import type { StructuredOutput } from './structured-output.ts';

export const operations = ['chat', 'embeddings', 'rerank', 'images', 'transcriptions', 'speech'] as const;
/** What can be asked of a vendor. */
export type Operation = (typeof operations)[number];
/** Those that a probe can ask for with a word or two. */
export const probedOperations: readonly Operation[] = ['chat', 'embeddings', 'rerank'];

/** A list of web pages that an answer rests on. Its entries are objects, or addresses alone. */
export interface CitationList {
  /** The path of the list from the root of an answer or chunk; with `message.` at its beginning, from the message or delta of a choice. */
  readonly at: string;
  /** The fields of an entry: `url`, `title`, `content` and `index` unless said. */
  readonly url?: string;
  readonly title?: string;
  readonly content?: string;
  /** The number by which the text refers to the entry, such as `3` or `ref_3`; its place in the list where there is none. */
  readonly number?: string;
}

/** What an answer may count. `seconds` may have a fraction; `cost` is the vendor's own. */
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

/** Where each count stands, as paths from the root of an answer in order of trust. */
export type CountPaths = Readonly<Partial<Record<CountName, readonly string[]>>>;

/** How one vendor's answers differ from what their format says. Data, so that a format need not know its vendors. */
export interface Reading {
  /** Where this vendor's answers count what the common table does not know, or count otherwise. */
  readonly usage?: CountPaths;
  /** The currency of `usage.cost`, which is booked where the deployment has no price. */
  readonly costCurrency?: string;
  /** Words for the end of an answer that the common table lacks or this vendor means otherwise; `*` for every other word that no table has. */
  readonly finishReasons?: Readonly<Record<string, FinishReason | 'failure'>>;
  /** The vendor's own codes of errors, in lower case. */
  readonly errorCodes?: Readonly<Record<string, ErrorCode>>;
  /** The thoughts stand in the text, between `<think>` and `</think>`. */
  readonly thinkTags?: boolean;
  /** Lists of web pages in this vendor's answers, before those of the common table. */
  readonly citations?: readonly CitationList[];
  /** So many choices were asked for: a stream that ends without a word before each has come is cut. 1 unless said. */
  readonly choices?: number;
  /** As in `EncodeTarget`, for what the answer itself lacks. */
  readonly warn?: (note: string) => void;
}

/**
 * How far a stream has come while its body is open. `finished`: every choice that was asked for has its finish reason, and nothing has followed.
 * `refinished`: the same, of a vendor that went on after a finish reason before. `counted`: the final counts of tokens came as well.
 */
export type StreamProgress = 'open' | 'finished' | 'refinished' | 'counted';

/** The upstream side of one attempt. */
export interface EncodeTarget {
  /** The vendor's own name of the model. */
  readonly model: string;
  readonly stream: boolean;
  /** The provider's name, for refusals: `unsupported_parameter` names the field and the vendor. */
  readonly vendor: string;
  /** Tells the caller, in a header, what had to be left out or changed. One short ASCII phrase, such as `seed left out: anthropic has none`. */
  warn(note: string): void;
  /** Fields of earlier messages beyond OpenAI's own that the vendor takes; all others are taken out. */
  readonly replays?: readonly string[];
  /** A dialect's last word on the JSON body (rename, drop, clamp); its presence rules out splicing raw bytes. */
  readonly adjust?: ((body: JsonObject) => JsonObject) | undefined;
}

/** Turns the bytes of one streamed answer into events. Stateful, for one answer only. */
export interface ChatDecoder {
  /** Events complete in what arrived so far. Throws GatewayError on an error frame or a malformed stream. */
  push(bytes: Buffer): ChatEvent[];
  /** What may still follow decides how long a silent vendor is waited for. */
  readonly progress: StreamProgress;
  /** The body ended, or nothing more is waited for. Returns what was held back; throws `upstream_interrupted` if the answer is incomplete. */
  end(): ChatEvent[];
}

export interface ChatFormat {
  /** The request body for the vendor. */
  encodeRequest(request: ChatRequest, target: EncodeTarget): Buffer | string;
  /** A whole, not streamed answer as one batch, `response-start` to `response-end`. Throws GatewayError on an error inside it. */
  decodeResponse(body: Buffer, reading?: Reading): ChatEvent[];
  decoder(reading?: Reading): ChatDecoder;
  /** Headers that belong to the format itself, such as a version, or that say what `request` asks for. Names in lower case. */
  headers?(target: EncodeTarget, request: ChatRequest): Readonly<Record<string, string>>;
  /** `bytes`: takes no addresses of pictures, so Pailou fetches them first and `encodeRequest` sees data URLs only. */
  readonly pictures?: 'bytes';
  /** How the format holds an answer of this model to a JSON Schema, by the model's name. Undefined leaves it to the provider. */
  structuredOutput?(model: string): StructuredOutput | undefined;
  /** Its vendor may count the output alone (`inputUnknown`). */
  readonly mayOmitInputCount?: boolean;
  /** Wants `reasoning_details` of earlier turns back, and sends `thought` events to be remembered for clients that drop them. */
  readonly thoughts?: boolean;
}

/** OpenAI's embeddings request; unknown fields pass. */
export interface EmbeddingsBody extends JsonObject {
  readonly model: string;
  readonly input: string | readonly string[] | readonly number[] | readonly (readonly number[])[];
}

export interface EmbeddingsAnswer {
  /** In the order of the inputs; a base64 string where the caller asked for it. */
  readonly vectors: readonly (readonly number[] | string)[];
  readonly usage: Usage | null;
}

export interface EmbeddingsFormat {
  encodeRequest(body: EmbeddingsBody, target: EncodeTarget): Buffer | string;
  decodeResponse(body: Buffer, reading?: Reading): EmbeddingsAnswer;
  /** The most inputs that one request may hold, where the format itself says so. */
  readonly batch?: number;
}

/** Cohere's and Jina's rerank request, which most vendors share; unknown fields pass. */
export interface RerankBody extends JsonObject {
  readonly model: string;
  readonly query: string;
  readonly documents: readonly (string | JsonObject)[];
  readonly top_n?: number;
}

export interface RerankAnswer {
  /** Best first; `index` is the place in the request's `documents`, `score` as the vendor gave it. */
  readonly results: readonly { readonly index: number; readonly score: number }[];
  readonly usage: Usage | null;
}

export interface RerankFormat {
  encodeRequest(body: RerankBody, target: EncodeTarget): Buffer | string;
  decodeResponse(body: Buffer, reading?: Reading): RerankAnswer;
}

export interface WireFormat {
  readonly chat?: ChatFormat;
  readonly embeddings?: EmbeddingsFormat;
  readonly rerank?: RerankFormat;
}
