/** Parses the JSON of a vendor's answer, or of one part of a stream. */
import { GatewayError } from '../types/errors.ts';
import { isJsonObject, type JsonObject } from '../types/json.ts';

/** The error for an invalid answer. `text` is kept for the operator. */
export function invalidAnswer(what: string, text?: string): GatewayError {
  return new GatewayError('upstream_invalid_response', `The vendor sent ${what}. Try again.`, { details: { text: text?.slice(0, 500) } });
}

/** The error for an answer that stopped before its end. */
export function interruptedAnswer(): GatewayError {
  return new GatewayError('upstream_interrupted', 'The vendor cut the answer short. What you received is incomplete.');
}

/** Throws `upstream_invalid_response` for anything but a JSON object. `what`: the name of the text in the error. */
export function parseAnswer(text: string, what = 'an answer'): JsonObject {
  try {
    const parsed: unknown = JSON.parse(text);
    if (isJsonObject(parsed)) return parsed;
  } catch {
    // Thrown below, with the text for the operator.
  }
  throw invalidAnswer(`${what} that is not valid`, text);
}
