/** Anthropic's error types, with a status or within a stream. */
import type { JsonObject } from '../../../types/json.ts';
import type { GatewayError } from '../../../types/errors.ts';
import type { Reading } from '../../../types/wire-format.ts';
import { errorInside } from '../../classify-failure.ts';

const codes: NonNullable<Reading['errorCodes']> = {
  permission_error: 'upstream_authentication',
  billing_error: 'upstream_quota_exhausted',
  timeout_error: 'upstream_timeout',
  api_error: 'upstream_error',
  // The caller's model exists in Pailou. That the vendor lacks it is an administrator's fault.
  not_found_error: 'upstream_model_not_found',
};

/** The error in an answer or stream event; undefined without one. */
export function readError(answer: JsonObject, reading: Reading | undefined): GatewayError | undefined {
  if (answer['type'] !== 'error' && answer['error'] === undefined && answer['base_resp'] === undefined) return undefined;
  return errorInside(answer, { ...codes, ...reading?.errorCodes });
}
