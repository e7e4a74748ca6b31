/**
 * The canonical chat request and the one event stream that every wire format decodes to.
 * The request keeps OpenAI's Chat Completions shape, because unknown fields must pass through untouched.
 */
import type { JsonObject } from './json.ts';

/** Top-level fields that Pailou itself reads. All others stay in the object and pass to the vendor. */
export interface ChatBody extends JsonObject {
  readonly model: string;
  readonly messages: readonly JsonObject[];
  readonly stream?: boolean;
  readonly stream_options?: JsonObject;
  readonly tools?: readonly JsonObject[];
}

/** Where each top-level member of a JSON object lies in its bytes; offsets of `bytes`, end exclusive. */
export interface JsonOutline {
  readonly members: ReadonlyMap<string, JsonMember>;
  /** Offset just behind the opening brace: where a new member may be put in. */
  readonly bodyStart: number;
}
export interface JsonMember {
  readonly keyStart: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

/** One chat request as the caller sent it. `raw` is present when `body` was parsed from exactly these bytes. */
export interface ChatRequest {
  readonly body: ChatBody;
  readonly raw?: { readonly bytes: Buffer; readonly outline: JsonOutline };
  /** The same request as the caller wrote it, where it came in another format than OpenAI's: goes as it is to a vendor that speaks that format. */
  readonly native?: {
    readonly format: string;
    readonly body: JsonObject;
    /** Headers of that format that the caller sent and such a vendor must see, such as `anthropic-beta`. Names in lower case. */
    readonly headers?: Readonly<Record<string, string>>;
  };
  /** Present where `body` was written from a request of another format: what of it `body` cannot say. */
  readonly translated?: Translation;
}

/** What a request in another format than OpenAI's lost on its way into `ChatRequest.body`; a vendor that gets `native` misses nothing. */
export interface Translation {
  /** Mere wishes that were left out, by field; the caller is told so in a header. */
  readonly leftOut: readonly string[];
  /** What only a vendor of the caller's own format can do; any other refuses with `unsupported_parameter`. */
  readonly demands: readonly Demand[];
}
export interface Demand {
  /** The field, as a path. */
  readonly param: string;
  /** What the vendor would need, to complete "<vendor> has no …". */
  readonly need: string;
}

export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'function_call';

/** What a call used. `estimated` marks numbers that Pailou had to guess because the vendor gave none. */
export interface Usage {
  /** All of the input, with what was read from a cache and written to it, and with sound and pictures. */
  readonly inputTokens: number;
  /** All of the output, with reasoning, sound and pictures. */
  readonly outputTokens: number;
  readonly cachedInputTokens?: number;
  /** Input that was written to the cache of the vendor, for whatever time. */
  readonly cacheWriteTokens?: number;
  /** Of these, what stays there for an hour. */
  readonly cacheWrite1hTokens?: number;
  readonly reasoningTokens?: number;
  readonly audioInputTokens?: number;
  readonly audioOutputTokens?: number;
  readonly imageInputTokens?: number;
  readonly imageOutputTokens?: number;
  /** Pictures that were made, and in which size and quality. */
  readonly pictures?: number;
  readonly pictureSize?: string;
  readonly pictureQuality?: string;
  /** Of sound that was heard or spoken. */
  readonly milliseconds?: number;
  /** Of the text that was spoken. */
  readonly characters?: number;
  readonly pages?: number;
  readonly searches?: number;
  /** The vendor's tier of service where it has a price of its own: `batch` or `flex`. */
  readonly serviceTier?: string;
  /** What the vendor itself says that the call costs. */
  readonly reportedCost?: { readonly amount: number; readonly currency: string };
  readonly estimated?: boolean;
  /** The vendor said nothing of the input, whose count here is 0: it is to be estimated. */
  readonly inputUnknown?: boolean;
  /** The vendor's own details objects, kept for the caller (`prompt_tokens_details`, `completion_tokens_details`). */
  readonly inputDetails?: JsonObject;
  readonly outputDetails?: JsonObject;
  /** The vendor's whole usage object, for a face of the same format. */
  readonly vendor?: { readonly format: string; readonly usage: JsonObject };
}

/** One step that Pailou took on the server side of a chat (a tool call of the tool loop). */
export interface StepRecord {
  readonly id: string;
  /** `progress`: a part of a skill's own work, which `capability` names. */
  readonly kind: 'mcp' | 'skill' | 'progress';
  /** e.g. `mcp/files/read`. */
  readonly capability: string;
  /** `skipped`: a step of a pipeline whose condition did not hold. `approval_required`: it waits for a person; say so in `gateway.approvals` with this `id`. */
  readonly status: 'started' | 'completed' | 'failed' | 'skipped' | 'approval_required';
  /** What it would be called with, where a person has to agree. */
  readonly input?: JsonObject;
  readonly duration_ms?: number;
  readonly error?: string;
}

/** The call behind a step, for faces that tell it whole. The texts are those of the conversation itself, never copies. */
export interface StepCall {
  /** As the model wrote them. */
  readonly arguments: string;
  /** What the model read; there as soon as the step has ended. */
  readonly output?: string;
  /** The question that a person answered with yes. */
  readonly approval?: string;
}

/**
 * What happens in an answer, in order. Per choice: any deltas, then one `finish`; after the last choice one `response-end`.
 * A decoder emits `finish` only when the answer is over, because some vendors name a finish reason and go on.
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
      /** `custom`: a free-text tool. `legacy`: the old `function_call`, which has no id on the wire. Left out: a function. */
      readonly kind?: 'custom' | 'legacy';
    }
  | { readonly type: 'tool-call-delta'; readonly choice: number; readonly call: number; readonly arguments: string }
  | {
      /**
       * A thought that only its vendor can read (a signature, an encrypted block) and that it wants back with the next turn.
       * `detail` is one entry of `reasoning_details`, as OpenRouter and its clients name it: `{ type, format, … }`; `format` is the wire format's kind.
       * Its `id` is that of the tool call that the vendor binds it to, if it does.
       */
      readonly type: 'thought';
      readonly choice: number;
      readonly detail: JsonObject;
    }
  /** What only the vendor's own format can say, as it said it. A face of the same format passes it on, all others leave it out. */
  | { readonly type: 'vendor'; readonly format: string; readonly choice: number; readonly event: JsonObject }
  | { readonly type: 'audio-delta'; readonly choice: number; readonly audio: JsonObject }
  /** A picture that the model made, whole: a `data:` URL or an address. */
  | { readonly type: 'image'; readonly choice: number; readonly url: string }
  | { readonly type: 'annotation'; readonly choice: number; readonly annotation: JsonObject }
  /** `call` is left out for what a skill does within. */
  | { readonly type: 'step'; readonly step: StepRecord; readonly call?: StepCall }
  | {
      readonly type: 'finish';
      readonly choice: number;
      readonly reason: FinishReason;
      readonly raw?: string;
      readonly detail?: JsonObject;
      /** What the vendor did not say, for the caller of a stream; of a whole answer it stands in a header. */
      readonly warning?: string;
      /** `max_steps`: no further round of tools was allowed. With the reason `length` the model wanted one all the same. */
      readonly limit?: 'max_steps';
    }
  | { readonly type: 'response-end'; readonly usage: Usage | null };

/** Batches of events, one per read of the upstream socket. Pull-driven: not pulling holds the upstream back. */
export type ChatEvents = AsyncIterable<readonly ChatEvent[]>;
