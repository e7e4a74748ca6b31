/** DashScope errors within an answer of status 200. */
import type { GatewayError } from '../../../types/errors.ts';
import type { JsonObject } from '../../../types/json.ts';
import type { Reading } from '../../../types/wire-format.ts';
import { classifyFailure } from '../../classify-failure.ts';

/** The error in `body`, flat as `{code, message, request_id}`. Undefined for an answer, whose code is absent or empty. */
export function errorIn(body: JsonObject, reading: Reading | undefined): GatewayError | undefined {
  const code = body['code'];
  if ((typeof code !== 'string' && typeof code !== 'number') || code === '' || code === 200) return undefined;
  // The usual status of this code. It distinguishes the caller's faults from the vendor's.
  const status = /^(invalid|bad|unsupported|datainspection)/i.test(String(code)) ? 400 : 500;
  return classifyFailure({ status, headers: {}, body: JSON.stringify(body) }, undefined, reading?.errorCodes);
}
