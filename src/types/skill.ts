/** A skill: a named, versioned, typed capability whose body only ever calls `run.invoke`. */
import type { ChatEvents } from './chat.ts';
import type { Json, JsonObject } from './json.ts';
import type { Principal } from './access.ts';

/** What a skill shows of itself. */
export interface SkillDescription {
  readonly inputSchema: JsonObject;
  readonly outputSchema: JsonObject | null;
}

/** The hand that a skill is given: everything it may do goes through here, with the caller's rights. */
export interface SkillRun {
  readonly id: string;
  readonly principal: Principal;
  readonly signal: AbortSignal;
  /** The capability of the row's model, `model/<name>`. */
  readonly model: string;
  /** Whether the caller wants the answer as it comes. */
  readonly streamed: boolean;
  /**
   * Calls `model/<name>` with a chat body (without `model`), as a child run.
   * Throws GatewayError `permission_denied` when the caller may not use it: loud, never skipped.
   */
  invoke(capability: string, input: JsonObject): Promise<ChatEvents>;
}

export interface Skill {
  describe(): SkillDescription;
  /** Validates the input (`invalid_request` naming the path) and runs. The text of the events is the result. */
  invoke(input: Json, run: SkillRun): Promise<ChatEvents>;
}
