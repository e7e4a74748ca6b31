/** Bedrock's exceptions within a stream. */
import type { GatewayError } from '../../../types/errors.ts';
import type { JsonObject } from '../../../types/json.ts';
import type { Reading } from '../../../types/wire-format.ts';
import { classifyFailure } from '../../classify-failure.ts';

/** The status that each exception has outside a stream. */
const statuses: Readonly<Record<string, number>> = {
  validationexception: 400,
  badrequestexception: 400,
  accessdeniedexception: 403,
  throttlingexception: 429,
  servicequotaexceededexception: 429,
  modelnotreadyexception: 503,
  serviceunavailableexception: 503,
  modeltimeoutexception: 504,
};

export function readException(type: string, body: JsonObject, reading: Reading | undefined): GatewayError {
  const code = type.toLowerCase();
  const { message } = body;
  const text = JSON.stringify({ code, message: typeof message === 'string' ? message : type });
  return classifyFailure({ status: statuses[code] ?? 500, headers: {}, body: text }, undefined, reading?.errorCodes);
}
