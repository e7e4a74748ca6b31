/** Where the events of a response go: into a stream, or nowhere, when the whole response is wanted. */
import type { JsonObject } from '../../../types/json.ts';

/** The members of an event besides `type` and `sequence_number`. */
export type EventSink = (type: string, members: JsonObject) => void;
