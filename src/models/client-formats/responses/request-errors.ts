/** Refusals of what a request in the Responses format may not hold here. */
import { GatewayError } from '../../../types/errors.ts';
import type { Json } from '../../../types/json.ts';

/** A fault of the caller's in the field `param`. */
export function invalid(param: string, what: string): GatewayError {
  return new GatewayError('invalid_request', `${param}: ${what}`, { param });
}

/** Something that runs or lies at OpenAI's own service, which no chat model can do. */
export function atOpenai(param: string, what: string, remedy: string): GatewayError {
  return new GatewayError('unsupported_parameter', `${param}: ${what} exists only at OpenAI's own service. ${remedy}`, { param });
}

/** What a caller calls the type of a thing, fit for a message. */
export function typeName(type: Json | undefined): string {
  return typeof type === 'string' ? type.slice(0, 60) : 'an unknown kind';
}
