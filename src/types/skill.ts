/** A skill: a named, versioned, typed capability whose body only ever calls `run.invoke`. */
import type { ChatEvents } from './chat.ts';
import type { Json, JsonObject } from './json.ts';
import type { Principal } from './access.ts';

/** What a skill shows of itself. */
export interface SkillDescription {
  readonly inputSchema: JsonObject;
  readonly outputSchema: JsonObject | null;
}

/** The conversation in which a skill was called as a model. */
export interface Conversation {
  /** All messages before the one that is the input. */
  readonly before: readonly JsonObject[];
  /** Parts of that message that are no input, such as pictures, in the shape of chat completions. */
  readonly attached: readonly JsonObject[];
}
export const noConversation: Conversation = { before: [], attached: [] };

/** The hand that a skill is given: everything it may do goes through here, with the caller's rights. */
export interface SkillRun {
  readonly id: string;
  readonly principal: Principal;
  readonly signal: AbortSignal;
  /** The capability of the row's model, `model/<name>`. */
  readonly model: string;
  /** The row's tools as entries of a chat's `tools`; empty for none. */
  readonly tools: readonly JsonObject[];
  /** The most rounds of tools. */
  readonly maxSteps: number;
  /** Whether the caller wants the answer as it comes. */
  readonly streamed: boolean;
  /** Empty where it was called in another way than as a model. */
  readonly conversation: Conversation;
  /**
   * Calls `model/<name>` with a chat body (without `model`; its `tools` may name server-side ones), `mcp/<server>/<tool>` or `skill/<name>`
   * with its input, as a child run. The text of the events is the result; JSON where that is structured.
   * Throws GatewayError `permission_denied` when the caller may not use it, or the row does not name it: loud, never skipped.
   */
  invoke(capability: string, input: JsonObject): Promise<ChatEvents>;
  /** The same to its end, as a value: what is structured as that, all else as the text that it is. Throws also for a part of an answer. */
  call(capability: string, input: JsonObject): Promise<Json>;
}

/** One file of a skill's folder. */
export interface SkillFile {
  /** Relative, with `/`. */
  readonly path: string;
  readonly bytes: Buffer;
}

export interface Skill {
  /** Reads `run.conversation`. Without it a conversation is its last message alone, and pictures in it are refused. */
  readonly converses?: true;
  /** What the model would be told, and asked, for somebody who asks a model of their own. Throws `invalid_request` naming the path. */
  messages?(input: Json): readonly [JsonObject, JsonObject];
  describe(): SkillDescription;
  /** Its own folder, for a skill that came as one. */
  files?(): readonly SkillFile[];
  /** Validates the input (`invalid_request` naming the path) and runs. The text of the events is the result. */
  invoke(input: Json, run: SkillRun): Promise<ChatEvents>;
}
