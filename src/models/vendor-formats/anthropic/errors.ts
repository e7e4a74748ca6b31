/** Anthropic's types of errors, as they come with a status or in the midst of a stream. */
import type { JsonObject } from '../../../types/json.ts';
import type { GatewayError } from '../../../types/errors.ts';
import type { Reading } from '../../../types/wire-format.ts';
import { errorInside } from '../../classify-failure.ts';

const codes: NonNullable<Reading['errorCodes']> = {
  permission_error: 'upstream_authentication',
  billing_error: 'upstream_quota_exhausted',
  timeout_error: 'upstream_timeout',
  api_error: 'upstream_error',
  // The caller's model exists in Pailou: that the vendor lacks it is for an administrator.
  not_found_error: 'upstream_model_not_found',
};

/** The error that an answer carries, or an event of a stream; undefined if it carries none. */
export function readError(answer: JsonObject, reading: Reading | undefined): GatewayError | undefined {
  if (answer['type'] !== 'error' && answer['error'] === undefined && answer['base_resp'] === undefined) return undefined;
  return errorInside(answer, { ...codes, ...reading?.errorCodes });
}
