/** How one vendor format is written and read. A format does no I/O and knows no address or credential. */
import type { ChatEvent, ChatRequest, Usage } from './chat.ts';
import type { JsonObject } from './json.ts';

export const operations = ['chat', 'embeddings'] as const;
/** What can be asked of a vendor. */
export type Operation = (typeof operations)[number];

/** The upstream side of one attempt. */
export interface EncodeTarget {
  /** The vendor's own name of the model. */
  readonly model: string;
  readonly stream: boolean;
  /** A dialect's last word on the JSON body (rename, drop, clamp); its presence rules out splicing raw bytes. */
  readonly adjust?: ((body: JsonObject) => JsonObject) | undefined;
}

/** Turns the bytes of one streamed answer into events. Stateful, for one answer only. */
export interface ChatDecoder {
  /** Events complete in what arrived so far. Throws GatewayError on an error frame or a malformed stream. */
  push(bytes: Buffer): ChatEvent[];
  /** The body ended. Returns what was held back; throws `upstream_interrupted` if a choice has no finish. */
  end(): ChatEvent[];
}

export interface ChatFormat {
  /** The request body for the vendor. */
  encodeRequest(request: ChatRequest, target: EncodeTarget): Buffer | string;
  /** A whole, not streamed answer as one batch, `response-start` to `response-end`. Throws GatewayError on an error inside it. */
  decodeResponse(body: Buffer): ChatEvent[];
  decoder(): ChatDecoder;
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
  decodeResponse(body: Buffer): EmbeddingsAnswer;
}

export interface WireFormat {
  readonly chat?: ChatFormat;
  readonly embeddings?: EmbeddingsFormat;
}
