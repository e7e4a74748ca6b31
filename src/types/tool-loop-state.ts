/** What a chat with server-side tools keeps between two requests of the same caller. */
import type { JsonObject } from './json.ts';

/** Whose it is: nobody else can read it, whatever ids they name. */
export interface StateOwner {
  readonly tenant: string;
  readonly issuer: string;
  readonly subject: string;
}

/** Kept for an hour, on whichever node it is asked for. Each rejects with `storage_unavailable`. */
export interface ChatStates {
  /** The same state under each of the ids. */
  keep(owner: StateOwner, ids: readonly string[], state: JsonObject): Promise<void>;
  /** Those of the ids that are known. */
  read(owner: StateOwner, ids: readonly string[]): Promise<ReadonlyMap<string, JsonObject>>;
  /** Once only: whoever comes second, also on another node, gets null. */
  take(owner: StateOwner, id: string): Promise<JsonObject | null>;
}
