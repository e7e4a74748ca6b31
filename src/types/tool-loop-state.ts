/** What a chat with server-side tools keeps between two requests of the same caller. */
import type { JsonObject } from './json.ts';

/** Whose it is: nobody else can read it, whatever ids they name. */
export interface ToolLoopOwner {
  readonly tenant: string;
  readonly issuer: string;
  readonly subject: string;
}

/** Kept for an hour, on whichever node it is asked for. Each rejects with `storage_unavailable`. */
export interface ToolLoopStates {
  /** The same state under each of the ids. */
  keep(owner: ToolLoopOwner, ids: readonly string[], state: JsonObject): Promise<void>;
  /** Those of the ids that are known. */
  read(owner: ToolLoopOwner, ids: readonly string[]): Promise<ReadonlyMap<string, JsonObject>>;
  /** Once only: whoever comes second, also on another node, gets null. */
  take(owner: ToolLoopOwner, id: string): Promise<JsonObject | null>;
}
