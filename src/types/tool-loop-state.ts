/** The state of a chat with server-side tools between two requests of the same caller. */
import type { JsonObject } from './json.ts';

/** The owner of the state. Other callers cannot read it, even with its id. */
export interface ToolLoopOwner {
  readonly tenant: string;
  readonly issuer: string;
  readonly subject: string;
}

/** Stored for one hour and shared by all nodes. Each method rejects with `storage_unavailable`. */
export interface ToolLoopStates {
  /** Stores the state under each of the ids. */
  keep(owner: ToolLoopOwner, ids: readonly string[], state: JsonObject): Promise<void>;
  /** The states of the known ids. */
  read(owner: ToolLoopOwner, ids: readonly string[]): Promise<ReadonlyMap<string, JsonObject>>;
  /** Returns the state once and deletes it. A second call, on any node, returns null. */
  take(owner: ToolLoopOwner, id: string): Promise<JsonObject | null>;
}
