/** What of a request in Anthropic's format OpenAI's words cannot say, gathered while it is read. */
import { GatewayError } from '../../../types/errors.ts';
import type { Demand, Translation } from '../../../types/chat.ts';

/** Names go into a header, and callers choose them. */
const harmless = /^[\w.[\]-]{1,64}$/;

export class Losses {
  readonly #leftOut = new Set<string>();
  readonly #demands: Demand[] = [];

  /** A mere wish: other vendors do without, and the caller is told. */
  leaveOut(field: string): void {
    this.#leftOut.add(harmless.test(field) ? field : 'a field');
  }

  /** Changes what the answer means, so other vendors must refuse. `need` completes "<vendor> has no …". */
  demand(param: string, need: string): void {
    this.#demands.push({ param, need });
  }

  get translation(): Translation {
    return { leftOut: [...this.#leftOut], demands: this.#demands };
  }
}

/** A fault of the caller's in the field `param`. */
export function invalid(param: string, what: string): GatewayError {
  return new GatewayError('invalid_request', `${param}: ${what}`, { param });
}
