/** Google's error details, which say more than the status. Shared by Gemini, Vertex and their format. */
import { type ErrorCode, GatewayError } from '../../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../types/json.ts';
import type { UpstreamFailure } from '../../types/provider.ts';

const messages: Readonly<Partial<Record<ErrorCode, string>>> = {
  upstream_authentication: "The vendor refused Pailou's credential. An administrator must renew the provider's key.",
  upstream_quota_exhausted: "The company's account at the vendor is used up. Tell your administrator.",
  rate_limited: 'The vendor takes no more requests at this moment. Wait and try again.',
  upstream_unavailable: 'The vendor is overloaded or down. Try again.',
  context_length_exceeded: 'The input is longer than this model takes. Shorten it or use a model with a larger context.',
  upstream_error: 'The vendor cannot serve this project as it is set up. Tell your administrator.',
};

/** Error codes by the `reason` of an ErrorInfo. A wrong key has status 400, like a caller's fault. */
const reasons: Readonly<Record<string, ErrorCode>> = {
  API_KEY_INVALID: 'upstream_authentication',
  API_KEY_EXPIRED: 'upstream_authentication',
  API_KEY_SERVICE_BLOCKED: 'upstream_authentication',
  ACCESS_TOKEN_EXPIRED: 'upstream_authentication',
  CREDENTIALS_MISSING: 'upstream_authentication',
  SERVICE_DISABLED: 'upstream_authentication',
  CONSUMER_SUSPENDED: 'upstream_quota_exhausted',
  BILLING_DISABLED: 'upstream_quota_exhausted',
  RATE_LIMIT_EXCEEDED: 'rate_limited',
};

function errorIn(text: string): JsonObject | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    // A failed stream that is not an event stream is a list that holds the error alone.
    const body: unknown = Array.isArray(parsed) ? parsed[0] : parsed;
    const error = isJsonObject(body) ? body['error'] : undefined;
    return isJsonObject(error) ? error : undefined;
  } catch {
    return undefined;
  }
}

function detailsOf(error: JsonObject, type: string): JsonObject[] {
  const details = error['details'];
  if (!Array.isArray(details)) return [];
  return details.filter(isJsonObject).filter((each) => typeof each['@type'] === 'string' && each['@type'].endsWith(type));
}

/** Seconds to wait, from a duration such as `34.4s`. */
function retryDelay(error: JsonObject): number | undefined {
  const delay = detailsOf(error, 'google.rpc.RetryInfo')[0]?.['retryDelay'];
  const seconds = typeof delay === 'string' ? /^(\d+(?:\.\d+)?)s$/.exec(delay)?.[1] : undefined;
  return seconds === undefined ? undefined : Number(seconds);
}

/** True for a daily quota: it is not available again after the delay that Google names. */
function isUsedUp(error: JsonObject): boolean {
  const violations = detailsOf(error, 'google.rpc.QuotaFailure').flatMap((each) =>
    Array.isArray(each['violations']) ? (each['violations'] as readonly Json[]) : [],
  );
  return violations.some((each) => isJsonObject(each) && typeof each['quotaId'] === 'string' && /PerDay/i.test(each['quotaId']));
}

function codeOf(error: JsonObject, status: number, message: string): ErrorCode | undefined {
  const reason = detailsOf(error, 'google.rpc.ErrorInfo')[0]?.['reason'];
  const known = typeof reason === 'string' ? reasons[reason] : undefined;
  if (known !== undefined) return known;
  const state = error['status'];
  if (status === 429 || state === 'RESOURCE_EXHAUSTED') return isUsedUp(error) ? 'upstream_quota_exhausted' : 'rate_limited';
  if (state === 'UNAVAILABLE') return 'upstream_unavailable';
  if (status === 400 && /token count.{0,60}exceeds|exceeds the maximum number of tokens/i.test(message)) return 'context_length_exceeded';
  // A fault of the account's region or billing, not of the caller's request.
  return state === 'FAILED_PRECONDITION' ? 'upstream_error' : undefined;
}

/** The failure, when Google's details say more than the status. Undefined: the common table decides. */
export function readGoogleFailure({ status, body }: UpstreamFailure): GatewayError | undefined {
  const error = errorIn(body);
  if (error === undefined) return undefined;
  const message = typeof error['message'] === 'string' ? error['message'] : '';
  const code = codeOf(error, status, message);
  if (code === undefined) return undefined;
  return new GatewayError(code, messages[code] ?? 'The vendor failed. Try again.', {
    details: { status, code: error['status'] ?? null, text: message.slice(0, 500) },
    retryAfterSeconds: retryDelay(error),
  });
}
