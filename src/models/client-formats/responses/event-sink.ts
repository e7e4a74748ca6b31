/** Receives the events of a response. A whole response uses a sink that discards them. */
import type { JsonObject } from '../../../types/json.ts';

/** `members`: the members of an event besides `type` and `sequence_number`. */
export type EventSink = (type: string, members: JsonObject) => void;
