/** Errors for requests in the Responses format. */
import { GatewayError } from '../../../types/errors.ts';
import type { Json } from '../../../types/json.ts';

/** A caller's fault in the field `param`. */
export function invalid(param: string, what: string): GatewayError {
  return new GatewayError('invalid_request', `${param}: ${what}`, { param });
}

/** A feature of OpenAI's own service that no chat model can provide. */
export function atOpenai(param: string, what: string, remedy: string): GatewayError {
  return new GatewayError('unsupported_parameter', `${param}: ${what} exists only at OpenAI's own service. ${remedy}`, { param });
}

/** The type of a value, sanitized for an error message. */
export function typeName(type: Json | undefined): string {
  return typeof type === 'string' ? type.slice(0, 60) : 'an unknown kind';
}
