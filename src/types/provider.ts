/** The contract of a provider: how a vendor is reached. */
import type { GatewayError } from './errors.ts';
import type { JsonObject } from './json.ts';
import type { ModelReasoning } from './model-reasoning.ts';
import type { RequestLimits } from './request-limits.ts';
import type { StructuredOutputSupport } from './structured-output.ts';
import type { Operation, Reading } from './wire-format.ts';

/** One attempt as the provider sees it. */
export interface UpstreamCall {
  readonly operation: Operation;
  readonly model: string;
  readonly stream: boolean;
  /** The wire format of a chat; left out for other operations. */
  readonly format?: string;
  /** What is known of the model's reasoning. */
  readonly reasoning?: ModelReasoning;
  /** As in `EncodeTarget`. */
  warn(note: string): void;
}

/** The outgoing request, for credentials that sign it. */
export interface Outgoing {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  /** Null when there is no body or it is streamed. */
  readonly body: Buffer | string | null;
}

/** An error response, for classification. */
export interface UpstreamFailure {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** At most 64 kB of the body, as text. */
  readonly body: string;
}

/** How a vendor is asked to continue the last message of a request. */
export interface Prefill {
  /** Members of that message beside role and content. */
  readonly message?: JsonObject;
  /** Members of the request body. */
  readonly body?: JsonObject;
  /** True when the answer repeats the prefill. */
  readonly repeats?: boolean;
}

/** Describes a vendor. Does no I/O for calls. */
export interface Provider {
  /** The kind of the wire format for each operation of the vendor. */
  readonly formats: Readonly<Partial<Record<Operation, string>>>;
  /** Further wire formats for chats. A deployment, the catalogue or `chatFormat` chooses among them. */
  readonly otherChatFormats?: readonly string[];
  /** The wire format of chats with this model; undefined for `formats.chat`. */
  chatFormat?(model: string): string | undefined;
  /** The full URL of this call. */
  address(call: UpstreamCall): string;
  /** The full URL of the vendor's model list with at least `most` entries, where the vendor lets callers choose. Absent: there is none. */
  modelsAddress?(most: number): string;
  /** Adds the credential to the headers. */
  authorize(headers: Record<string, string>, call: UpstreamCall, outgoing: Outgoing): void | Promise<void>;
  /** Changes the JSON body for the dialect. Omit it when the format fits: raw bytes then pass through unparsed. */
  adjust?(body: JsonObject, call: UpstreamCall): JsonObject;
  /** False when `adjust` would not change this request, so that its bytes may pass. Absent: always adjusted. */
  adjusts?(body: JsonObject, call: UpstreamCall): boolean;
  /** How this vendor's answers differ from their format. */
  readonly reading?: Reading;
  /** True for models that answer only as a stream. Pailou buffers it for callers that want a complete answer. */
  mustStream?(model: string): boolean;
  /** The vendor expects `reasoning_content` back in assistant messages that called tools. */
  readonly replaysReasoning?: boolean;
  /** Fields of earlier messages that go back to the vendor as the client sent them. Default with `replaysReasoning`: `reasoning_content`. */
  readonly replays?: readonly string[];
  /** Where the vendor takes thoughts back, for models that want them. Absent or empty: nowhere. */
  readonly thoughtFields?: readonly string[];
  /** Absent: no limits are known. */
  readonly limits?: RequestLimits;
  /** The vendor supports Anthropic's `cache_control` on parts, messages and tools. It is removed for all other vendors of OpenAI's format. */
  readonly cacheControl?: boolean;
  /** The vendor has OpenAI's free-text tools (`custom`). All others are offered functions with one text field in their place. */
  readonly customTools?: boolean;
  /** The features of the Responses format that the vendor has beyond messages, reasoning and functions, such as `web_search`. Absent: all of them. */
  readonly responsesFeatures?: ReadonlySet<string>;
  /** How this model continues a prefilled answer; undefined when it cannot or is not known to. */
  prefill?(model: string): Prefill | undefined;
  /** How this vendor enforces a JSON Schema when the catalogue does not define it. Absent: natively. */
  readonly structuredOutput?: StructuredOutputSupport;
  /** The maximum number of inputs of one embeddings request. Longer lists are split. */
  readonly embeddingsBatch?: number;
  /** Classifies the vendor's own error codes. Undefined: the common table applies. */
  classify?(failure: UpstreamFailure): GatewayError | undefined;
}
