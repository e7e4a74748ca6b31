/** Errors in OpenAI's shape. */
import type { GatewayError } from '../../types/errors.ts';

/** The body of an error response: OpenAI's four keys and the members of `expose` under `error`, and the request id beside it. `details` and `cause` are for operators and never appear. */
export function renderError(error: GatewayError, requestId: string): string {
  return JSON.stringify({
    error: { ...error.expose, message: error.message, type: error.type, param: error.param, code: error.code },
    request_id: requestId,
  });
}
