/** The canonical chat request and the event stream that every wire format decodes to. The request keeps the shape of OpenAI's Chat Completions, because unknown fields must pass through unchanged. */
import type { JsonObject } from './json.ts';

/** Top-level fields that Pailou reads. All others stay in the object and pass to the vendor. */
export interface ChatBody extends JsonObject {
  readonly model: string;
  readonly messages: readonly JsonObject[];
  readonly stream?: boolean;
  readonly stream_options?: JsonObject;
  readonly tools?: readonly JsonObject[];
}

/** The position of each top-level member of a JSON object; offsets of `bytes`, end exclusive. */
export interface JsonOutline {
  readonly members: ReadonlyMap<string, JsonMember>;
  /** The offset after the opening brace, where a new member may be inserted. */
  readonly bodyStart: number;
}
export interface JsonMember {
  readonly keyStart: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

/** A top-level member and its new value as JSON text. */
export interface MemberChange {
  readonly key: string;
  readonly json: string;
}

/** The bytes of a request body. */
export interface RawRequest {
  readonly length: number;
  /** The body with other values of these members, each of which is replaced or added; all other bytes are the same. */
  splice(changes: readonly MemberChange[]): Buffer;
}

/** One chat request as received. `raw` is present when `body` was parsed from exactly these bytes. */
export interface ChatRequest {
  readonly body: ChatBody;
  readonly raw?: RawRequest;
  /** The original request when it came in another format than OpenAI's. A vendor that speaks that format receives it unchanged. */
  readonly native?: {
    readonly format: string;
    readonly body: JsonObject;
    /** The messages before the body's own, in the form of `ChatRequest.body`. */
    readonly earlier?: readonly JsonObject[];
    /** The features of the format that the body uses, for vendors that have a part of them. */
    readonly features?: readonly string[];
    /** Headers of that format that such a vendor needs, such as `anthropic-beta`. Names in lower case. */
    readonly headers?: Readonly<Record<string, string>>;
    /** What this body lacks of the caller's own. A header reports it. */
    readonly leftOut?: readonly string[];
  };
  /** Present when `body` was translated from another format: what `body` cannot express. */
  readonly translated?: Translation;
}

/** What a request in another format lost in the translation to `ChatRequest.body`. A vendor that receives `native` loses nothing. */
export interface Translation {
  /** Optional fields that were left out. A header reports them to the caller. */
  readonly leftOut: readonly string[];
  /** Features that only a vendor of the caller's own format has. Any other refuses with `unsupported_parameter`. */
  readonly demands: readonly Demand[];
}
export interface Demand {
  /** The path of the field. */
  readonly param: string;
  /** The missing feature, as the end of the sentence "<vendor> has no …". */
  readonly need: string;
}

export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'function_call';

/** What a call used. `estimated` marks numbers that Pailou estimated because the vendor gave none. */
export interface Usage {
  /** All input tokens, including cache reads and writes, sound and pictures. */
  readonly inputTokens: number;
  /** All output tokens, including reasoning, sound and pictures. */
  readonly outputTokens: number;
  readonly cachedInputTokens?: number;
  /** Input tokens written to the vendor's cache, for any duration. */
  readonly cacheWriteTokens?: number;
  /** The part of these with a lifetime of one hour. */
  readonly cacheWrite1hTokens?: number;
  readonly reasoningTokens?: number;
  readonly audioInputTokens?: number;
  readonly audioOutputTokens?: number;
  readonly imageInputTokens?: number;
  readonly imageOutputTokens?: number;
  /** The number of pictures generated, with their size and quality. */
  readonly pictures?: number;
  readonly pictureSize?: string;
  readonly pictureQuality?: string;
  /** The length of sound, as input or output. */
  readonly milliseconds?: number;
  /** The length of the text that was converted to speech. */
  readonly characters?: number;
  readonly pages?: number;
  readonly searches?: number;
  /** The vendor's service tier when it has a price of its own: `batch` or `flex`. */
  readonly serviceTier?: string;
  /** The cost that the vendor reports. */
  readonly reportedCost?: { readonly amount: number; readonly currency: string };
  readonly estimated?: boolean;
  /** The side that the vendor did not count. Its count is 0 until it is estimated. */
  readonly uncounted?: 'input' | 'output';
  /** The vendor's own details objects, passed to the caller (`prompt_tokens_details`, `completion_tokens_details`). */
  readonly inputDetails?: JsonObject;
  readonly outputDetails?: JsonObject;
  /** The vendor's whole usage object, for a client format of the same kind. */
  readonly vendor?: { readonly format: string; readonly usage: JsonObject };
}

/** One server-side step of a chat, such as a tool call of the tool loop. */
export interface StepRecord {
  readonly id: string;
  /** `progress`: a step within a skill, which `capability` names. */
  readonly kind: 'mcp' | 'skill' | 'progress';
  /** e.g. `mcp/files/read`. */
  readonly capability: string;
  /** `skipped`: a pipeline step whose condition was false. `approval_required`: it waits for a decision in `gateway.approvals` with this `id`. */
  readonly status: 'started' | 'completed' | 'failed' | 'skipped' | 'approval_required';
  /** The arguments of a call that waits for approval. */
  readonly input?: JsonObject;
  readonly duration_ms?: number;
  readonly error?: string;
}

/** The tool call of a step, for client formats that show it completely. References the conversation's texts without copies. */
export interface StepCall {
  /** As the model wrote them. */
  readonly arguments: string;
  /** The tool's output as the model read it. Present when the step has ended. */
  readonly output?: string;
  /** The id of the approval request that a person approved. */
  readonly approval?: string;
}

/**
 * The events of an answer, in order. Per choice: any deltas, then one `finish`; after the last choice one `response-end`. A decoder emits
 * `finish` only when the answer is complete, because some vendors continue after a finish reason.
 */
export type ChatEvent =
  | { readonly type: 'response-start'; readonly id?: string; readonly model?: string; readonly extra?: JsonObject }
  | { readonly type: 'text-delta'; readonly choice: number; readonly text: string; readonly logprobs?: JsonObject }
  | { readonly type: 'reasoning-delta'; readonly choice: number; readonly text: string }
  | { readonly type: 'refusal-delta'; readonly choice: number; readonly text: string; readonly logprobs?: JsonObject }
  | {
      readonly type: 'tool-call-start';
      readonly choice: number;
      readonly call: number;
      readonly id: string;
      readonly name: string;
      /** `custom`: a free-text tool. `legacy`: the old `function_call`, which has no id on the wire. Absent: a function. */
      readonly kind?: 'custom' | 'legacy';
    }
  | { readonly type: 'tool-call-delta'; readonly choice: number; readonly call: number; readonly arguments: string }
  | {
      /**
       * Reasoning that only its vendor can read (a signature, an encrypted block) and expects back in the next turn. `detail` is one
       * entry of `reasoning_details` as OpenRouter defines it: `{ type, format, … }`, where `format` is the kind of the wire format. Its
       * `id` is that of the tool call that it is bound to, if any.
       */
      readonly type: 'thought';
      readonly choice: number;
      readonly detail: JsonObject;
    }
  /** An item that only the vendor's format can express, unchanged. A client format of the same kind passes it on; all others leave it out. */
  | { readonly type: 'vendor'; readonly format: string; readonly choice: number; readonly event: JsonObject }
  | { readonly type: 'audio-delta'; readonly choice: number; readonly audio: JsonObject }
  /** A complete picture that the model generated: a `data:` URL or an address. */
  | { readonly type: 'image'; readonly choice: number; readonly url: string }
  | { readonly type: 'annotation'; readonly choice: number; readonly annotation: JsonObject }
  /** `call` is absent for steps within a skill. */
  | { readonly type: 'step'; readonly step: StepRecord; readonly call?: StepCall }
  | {
      readonly type: 'finish';
      readonly choice: number;
      readonly reason: FinishReason;
      readonly raw?: string;
      readonly detail?: JsonObject;
      /** What the vendor left out, for clients of a stream. Complete answers carry it in a header. */
      readonly warning?: string;
      /** `max_steps`: no further round of tools was allowed. With the reason `length` the model had requested one. */
      readonly limit?: 'max_steps';
    }
  | { readonly type: 'response-end'; readonly usage: Usage | null };

/** Batches of events, one per read of the upstream socket. Pull-driven: a slow consumer holds the upstream back. */
export type ChatEvents = AsyncIterable<readonly ChatEvent[]>;
