/** How one vendor is reached: the contract of a provider. */
import type { GatewayError } from './errors.ts';
import type { JsonObject } from './json.ts';
import type { StructuredOutputSupport } from './structured-output.ts';
import type { Operation, Reading } from './wire-format.ts';

/** One attempt as the provider sees it. */
export interface UpstreamCall {
  readonly operation: Operation;
  readonly model: string;
  readonly stream: boolean;
  /** The wire format of a chat; left out for other operations. */
  readonly format?: string;
  /** As in `EncodeTarget`. */
  warn(note: string): void;
}

/** What goes out, for credentials that sign it. */
export interface Outgoing {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  /** Null where there is none, or where it is streamed. */
  readonly body: Buffer | string | null;
}

/** An answer that is not a success, for classification. */
export interface UpstreamFailure {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** At most 64 kB of the body, as text. */
  readonly body: string;
}

/** How a vendor is told that the last message of a request is the beginning of its answer, which it is to go on with. */
export interface Prefill {
  /** Members of that message, beside its role and content. */
  readonly message?: JsonObject;
  /** Members of the request. */
  readonly body?: JsonObject;
  /** The answer says the beginning once more. */
  readonly repeats?: boolean;
}

/** Describes a vendor; does no call I/O itself. */
export interface Provider {
  /** The wire format (by kind) for each operation that the vendor has. */
  readonly formats: Readonly<Partial<Record<Operation, string>>>;
  /** Further wire formats for chats. A deployment, the catalogue or `chatFormat` chooses among them. */
  readonly otherChatFormats?: readonly string[];
  /** The wire format of chats with this model; undefined for `formats.chat`. */
  chatFormat?(model: string): string | undefined;
  /** The full URL of this call. */
  address(call: UpstreamCall): string;
  /** The full URL of the vendor's list of models, which is asked for to see whether it is there. Left out: it has none. */
  modelsAddress?(): string;
  /** Adds the credential to the headers. */
  authorize(headers: Record<string, string>, call: UpstreamCall, outgoing: Outgoing): void | Promise<void>;
  /** The dialect's last word on the JSON body. Leave it out where the format fits: raw bytes are then passed on unparsed. */
  adjust?(body: JsonObject, call: UpstreamCall): JsonObject;
  /** False where `adjust` would change nothing in this request, so that its bytes may pass on. Left out: always adjusted. */
  adjusts?(body: JsonObject, call: UpstreamCall): boolean;
  /** How this vendor's answers differ from their format. */
  readonly reading?: Reading;
  /** True for models that answer only as a stream; Pailou gathers it for a caller who wants it whole. */
  mustStream?(model: string): boolean;
  /** The vendor wants `reasoning_content` back with the assistant messages that called tools. */
  readonly replaysReasoning?: boolean;
  /** Which fields of earlier messages go back to the vendor as the client sent them; `reasoning_content` if `replaysReasoning` and this is left out. */
  readonly replays?: readonly string[];
  /** The vendor knows Anthropic's `cache_control` on parts, messages and tools; it is taken out for all others of OpenAI's format. */
  readonly cacheControl?: boolean;
  /** How this model goes on from the beginning of an answer; undefined where it cannot, or is not known to. */
  prefill?(model: string): Prefill | undefined;
  /** How this vendor holds answers to a JSON Schema, where the catalogue does not say. Left out: it holds them itself. */
  readonly structuredOutput?: StructuredOutputSupport;
  /** The most inputs that one request for embeddings may hold; longer lists are split. */
  readonly embeddingsBatch?: number;
  /** Knows this vendor's own error codes better than the common table; undefined leaves it to that. */
  classify?(failure: UpstreamFailure): GatewayError | undefined;
}
