/** Classifies vendors' errors: by their code when it is known, otherwise by HTTP status. */
import { type ErrorCode, GatewayError } from '../types/errors.ts';
import type { JsonObject } from '../types/json.ts';
import type { UpstreamFailure } from '../types/plugin.ts';
import type { Reading } from '../types/wire-format.ts';
import { codeOfMessage } from './failure-words.ts';
import { findVendorError, publicMessage, readFailure, type VendorError, withoutSecrets } from './vendor-error.ts';

/** Codes and types of OpenAI and compatible vendors, in lower case. A dialect's own table precedes them (`Provider.classify`). */
const codes: Readonly<Partial<Record<ErrorCode, readonly string[]>>> = {
  context_length_exceeded: [
    'context_length_exceeded',
    'model_context_window_exceeded',
    'string_above_max_length',
    'exceed_context_size_error',
  ],
  content_filter: [
    'content_filter',
    'content_policy_violation',
    'responsibleaipolicyviolation',
    'data_inspection_failed',
    'datainspectionfailed',
    'sensitive',
  ],
  upstream_quota_exhausted: [
    'insufficient_quota',
    'billing_hard_limit_reached',
    'billing_not_active',
    'arrearage',
    'insufficient_balance',
    'insufficient_user_quota',
  ],
  rate_limited: [
    'rate_limit_exceeded',
    'rate_limit_error',
    'throttling',
    'throttling.ratequota',
    'throttling.allocationquota',
    'resource_exhausted',
    'too_many_requests',
  ],
  upstream_authentication: [
    'invalid_api_key',
    'invalidapikey',
    'authentication_error',
    'permission_denied',
    'accessdenied',
    'account_deactivated',
  ],
  tool_use_failed: ['tool_use_failed'],
  upstream_model_not_found: [
    'model_not_found',
    'modelnotfound',
    'model.notfound',
    'deploymentnotfound',
    'resource_not_found_error',
    'not_found_error',
  ],
  upstream_unavailable: ['overloaded_error', 'server_overloaded', 'engine_overloaded_error', 'service_unavailable'],
};
const byCode = new Map(Object.entries(codes).flatMap(([code, own]) => own.map((each) => [each, code as ErrorCode] as const)));

const messages: Readonly<Partial<Record<ErrorCode, string>>> = {
  context_length_exceeded: 'The input is longer than this model takes. Shorten it or use a model with a larger context.',
  content_filter: 'The vendor refused the content of this request.',
  upstream_quota_exhausted: "The company's account at the vendor is used up. Tell your administrator.",
  rate_limited: 'The vendor takes no more requests at this moment. Wait and try again.',
  upstream_authentication: "The vendor refused Pailou's credential. An administrator must renew the provider's key.",
  upstream_unavailable: 'The vendor is overloaded or down. Try again.',
  body_too_large: 'The request is larger than this vendor takes. Send fewer or smaller pictures and files.',
  upstream_timeout: 'The vendor did not answer in time. Try again.',
  upstream_error: 'The vendor failed. Try again.',
  upstream_model_not_found: 'The vendor does not know the model or the address that this deployment names. Tell your administrator.',
  tool_use_failed:
    'The model wrote a tool call that is not valid (failed_generation). Send the request again, or describe the tools more simply.',
};

function codeForStatus(status: number): ErrorCode {
  if (status === 401 || status === 403) return 'upstream_authentication';
  if (status === 402) return 'upstream_quota_exhausted';
  if (status === 413) return 'body_too_large';
  if (status === 408 || status === 504) return 'upstream_timeout';
  if (status === 429) return 'rate_limited';
  // The caller's model exists in Pailou. That the vendor lacks or moved it is an administrator's fault; another deployment may work.
  if (status === 404 || status === 405 || status === 410) return 'upstream_model_not_found';
  if (status < 400) return 'upstream_error';
  if (status < 500) return 'invalid_request';
  return status === 500 || status === 501 ? 'upstream_error' : 'upstream_unavailable';
}

/** Error types within an answer of status 200 that mean a fault of the request. */
const requestTypes: ReadonlySet<string> = new Set([
  'invalid_request_error',
  'bad_request_error',
  'badrequesterror',
  'invalid_argument',
  'invalidparameter',
]);

/** Codes for which the vendor's message may be shown: it is about the caller's own request. */
const aboutRequest: ReadonlySet<ErrorCode> = new Set(['invalid_request', 'unsupported_parameter']);

/** The model's output belongs to the caller. */
const maxGenerationLength = 20_000;

/** A vendor's own codes, in lower case. They precede the common table. */
type OwnCodes = Reading['errorCodes'];

function codeFor(status: number, error: VendorError, own: OwnCodes): ErrorCode {
  const known = own?.[error.code] ?? own?.[error.type] ?? byCode.get(error.code) ?? byCode.get(error.type);
  if (known !== undefined) return known;
  const real =
    status >= 400
      ? status
      : (error.status ?? (status >= 300 ? status : requestTypes.has(error.type) || requestTypes.has(error.code) ? 400 : 500));
  return codeOfMessage(error.message, real) ?? codeForStatus(real);
}

/** Seconds to wait, from a header in milliseconds, seconds or as a date; undefined without one. A date counts from the `date` of the response: the clocks may differ. */
export function readRetryAfter(headers: UpstreamFailure['headers'], now?: number): number | undefined {
  const value = (name: string): string => {
    const given = headers[name];
    return (typeof given === 'string' ? given : (given?.[0] ?? '')).trim();
  };
  const milliseconds = value('retry-after-ms');
  if (/^\d+(\.\d+)?$/.test(milliseconds)) return Number(milliseconds) / 1000;
  const text = value('retry-after');
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  const date = /^[A-Z][a-z]{2},/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, (date - (now ?? (Date.parse(value('date')) || Date.now()))) / 1000);
}

/** The vendor's `param` when it names a field that the caller sent, such as `messages[0].role`. */
function callerParam(param: string | null, request: JsonObject | undefined): string | undefined {
  if (param === null || request === undefined || !/^[\w.[\]-]{1,128}$/.test(param)) return undefined;
  const field = /^[\w-]+/.exec(param)?.[0] ?? '';
  return Object.hasOwn(request, field) ? param : undefined;
}

function build(
  status: number,
  error: VendorError,
  headers: UpstreamFailure['headers'],
  request: JsonObject | undefined,
  own: OwnCodes,
): GatewayError {
  const code = codeFor(status, error, own);
  const options = {
    details: { status, code: error.code.slice(0, 100), type: error.type.slice(0, 100), text: withoutSecrets(error.message) },
    retryAfterSeconds: readRetryAfter(headers) ?? error.retryAfterSeconds,
  };
  if (!aboutRequest.has(code)) {
    const generation = code === 'tool_use_failed' ? error.failedGeneration?.slice(0, maxGenerationLength) : undefined;
    return new GatewayError(code, messages[code] ?? 'The vendor failed. Try again.', {
      ...options,
      ...(generation === undefined ? {} : { expose: { failed_generation: generation } }),
    });
  }
  const message = publicMessage(error.message);
  const intro =
    code === 'unsupported_parameter'
      ? 'The model behind this name does not take everything in this request'
      : 'The vendor does not accept this request';
  return new GatewayError(code, message === '' ? `${intro}.` : `${intro}: ${message}`, {
    ...options,
    param: callerParam(error.param, request),
  });
}

/** Classifies an error response. `request`: the caller's body, to recognise its fields. */
export function classifyFailure(failure: UpstreamFailure, request?: JsonObject, own?: OwnCodes): GatewayError {
  return build(failure.status, readFailure(failure.body), failure.headers, request, own);
}

/** The error in a body with status 200, whole or as part of a stream; undefined without one. */
export function errorInside(body: JsonObject, own?: OwnCodes): GatewayError | undefined {
  // The fast path of every healthy chunk.
  if (body['choices'] !== undefined && body['error'] === undefined && body['base_resp'] === undefined) return undefined;
  const error = findVendorError(body);
  return error === null ? undefined : build(200, error, {}, undefined, own);
}
