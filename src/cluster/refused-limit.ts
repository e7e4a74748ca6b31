/** A refusal as data, between two processes. */
import { GatewayError } from '../types/errors.ts';
import type { RefusedLimit } from './messages.ts';

export const refusalOf = ({ code, message, param, expose, retryAfterSeconds }: GatewayError): RefusedLimit => ({
  code,
  message,
  param,
  ...(expose === undefined ? {} : { expose }),
  ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
});

export function errorOf({ code, message, ...options }: RefusedLimit): GatewayError {
  return new GatewayError(code, message, { ...options, param: options.param ?? undefined });
}
