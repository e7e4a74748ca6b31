/** A skill: a named, versioned, typed capability whose body only calls `run.invoke`. */
import type { ChatEvents } from './chat.ts';
import type { Json, JsonObject } from './json.ts';
import type { Principal } from './access.ts';

/** The public description of a skill. */
export interface SkillDescription {
  readonly inputSchema: JsonObject;
  readonly outputSchema: JsonObject | null;
}

/** The conversation in which a skill was called as a model. */
export interface Conversation {
  /** All messages before the input message. */
  readonly before: readonly JsonObject[];
  /** Parts of that message that are not input, such as pictures, in the shape of chat completions. */
  readonly attached: readonly JsonObject[];
}
export const noConversation: Conversation = { before: [], attached: [] };

/** The interface of a skill to the gateway. Every action of a skill goes through it, with the caller's rights. */
export interface SkillRun {
  readonly id: string;
  readonly principal: Principal;
  readonly signal: AbortSignal;
  /** The capability of the row's model, `model/<name>`. */
  readonly model: string;
  /** The row's tools as entries of a chat's `tools`; empty for none. */
  readonly tools: readonly JsonObject[];
  /** The maximum number of tool rounds. */
  readonly maxSteps: number;
  /** True when the caller wants a stream. */
  readonly streamed: boolean;
  /** Empty when the skill was not called as a model. */
  readonly conversation: Conversation;
  /**
   * Calls `model/<name>` with a chat body (without `model`; its `tools` may name server-side ones), or `mcp/<server>/<tool>` or
   * `skill/<name>` with its input, as a child run. The text of the events is the result; JSON when it is structured. Throws
   * `permission_denied` when the caller may not use it or the row does not list it.
   */
  invoke(capability: string, input: JsonObject): Promise<ChatEvents>;
  /** As `invoke`, to the end, as a value: structured results as JSON, all others as text. Throws also for a partial answer. */
  call(capability: string, input: JsonObject): Promise<Json>;
}

/** One file of a skill's folder. */
export interface SkillFile {
  /** Relative, with `/`. */
  readonly path: string;
  readonly bytes: Buffer;
}

export interface Skill {
  /** Reads `run.conversation`. Otherwise only the last message of a conversation is used, and pictures in it are refused. */
  readonly converses?: true;
  /** The system and user message for the model, for clients that call their own model. Throws `invalid_request` naming the path. */
  messages?(input: Json): readonly [JsonObject, JsonObject];
  describe(): SkillDescription;
  /** The files of a skill that was imported as a folder. */
  files?(): readonly SkillFile[];
  /** Validates the input (`invalid_request` naming the path) and runs. The text of the events is the result. */
  invoke(input: Json, run: SkillRun): Promise<ChatEvents>;
}
