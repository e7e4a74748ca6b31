/** Errors in Anthropic's shape. */
import type { ErrorCode, GatewayError } from '../../../types/errors.ts';

const byCode: Readonly<Partial<Record<ErrorCode, string>>> = {
  body_too_large: 'request_too_large',
  request_timeout: 'timeout_error',
  upstream_timeout: 'timeout_error',
  upstream_quota_exhausted: 'billing_error',
  upstream_unavailable: 'overloaded_error',
};

const byStatus: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  409: 'conflict_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
};

function typeOf(error: GatewayError): string {
  return byCode[error.code] ?? byStatus[error.status] ?? (error.status < 500 ? 'invalid_request_error' : 'api_error');
}

/** The body of an error response, and the data of an `error` event. `details` holds Pailou's error code and the field. */
export function renderMessagesError(error: GatewayError, requestId: string): string {
  const details = { error_code: error.code, ...(error.param === null ? {} : { param: error.param }), ...error.expose };
  return JSON.stringify({ type: 'error', error: { type: typeOf(error), message: error.message, details }, request_id: requestId });
}
