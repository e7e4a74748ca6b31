/** A refusal as data, between two processes. */
import { GatewayError } from '../types/errors.ts';
import type { RefusedLimit, Reserved } from './messages.ts';

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

/** The answer to a question that the primary process does not live to answer. */
export const unanswered: Reserved = {
  headers: {},
  refused: {
    code: 'shutting_down',
    message: 'This node was restarted. Send the request again.',
    param: null,
    retryAfterSeconds: 1,
  },
};
