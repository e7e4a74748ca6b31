/** The counts of a whole answer that its format refuses. The vendor bills it, so that its attempt has them. */
import type { Usage } from '../types/chat.ts';
import { isJsonObject, type JsonObject } from '../types/json.ts';
import type { Reading } from '../types/wire-format.ts';

interface Counted {
  countsOf?(answer: JsonObject, reading?: Reading): Usage | null;
}

/** Null without counts. */
export function refusedCounts(bytes: Buffer, format: Counted, reading: Reading | undefined): Usage | null {
  try {
    const answer: unknown = JSON.parse(bytes.toString('utf8'));
    return isJsonObject(answer) ? (format.countsOf?.(answer, reading) ?? null) : null;
  } catch {
    return null;
  }
}
