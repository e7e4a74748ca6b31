/** Converts connection failures to errors of the error table. */
import { GatewayError } from '../types/errors.ts';
import { BlockedAddress } from './guard.ts';
import { ProxyFailure } from './proxy-handshake.ts';
import { unreachableBy } from './unreachable.ts';

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : '';
}

/** The first useful code. Node wraps the failures of several addresses in an AggregateError. */
function describe(error: unknown): { code: string; text: string } {
  const inner = error instanceof AggregateError ? (error.errors as unknown[])[0] : error;
  const code = codeOf(inner) || codeOf(error);
  const text = inner instanceof Error ? inner.message : String(inner);
  return { code, text: text.slice(0, 500) };
}

/** `started`: the response head had arrived, so the answer is interrupted rather than missing. */
export function connectionError(error: unknown, started: boolean): GatewayError {
  if (error instanceof GatewayError) return error;
  const { code, text } = describe(error);
  const options = { details: { ...unreachableBy(code), code, text }, cause: error };
  if (error instanceof BlockedAddress) {
    return new GatewayError(
      'upstream_unavailable',
      "The provider's address is one that Pailou may not connect to. An administrator must change it.",
      options,
    );
  }
  if (error instanceof ProxyFailure) {
    return new GatewayError('upstream_unavailable', 'The proxy on the way to the vendor cannot be used. Tell your administrator.', options);
  }
  if (
    (error instanceof Error && error.name === 'HTTPParserError') ||
    code === 'UND_ERR_HEADERS_OVERFLOW' ||
    code === 'UND_ERR_RESPONSE_EXCEEDED_MAX_SIZE'
  ) {
    return new GatewayError('upstream_invalid_response', 'The vendor answered something that is not valid HTTP. Try again.', options);
  }
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') {
    return new GatewayError('upstream_timeout', 'The vendor did not answer in time. Try again.', options);
  }
  if (started)
    return new GatewayError('upstream_interrupted', 'The vendor cut the answer short. What you received is incomplete.', options);
  if (code.startsWith('UND_ERR_INVALID')) {
    return new GatewayError('internal_error', 'The request to the vendor could not be made. Report it with the request id.', options);
  }
  return new GatewayError('upstream_unavailable', 'The vendor cannot be reached. Try again.', options);
}

/** The error for an aborted signal: its GatewayError reason, a timeout, or a caller that disconnected. */
export function abortError(signal: AbortSignal): GatewayError {
  const reason: unknown = signal.reason;
  if (reason instanceof GatewayError) return reason;
  if (reason instanceof DOMException && reason.name === 'TimeoutError') {
    return new GatewayError('upstream_timeout', 'The vendor did not answer in time. Try again.', { cause: reason });
  }
  return new GatewayError('client_closed_request', 'The caller left before the answer was complete.', { cause: reason });
}
