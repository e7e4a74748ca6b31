/** Records the parts of an Anthropic request that OpenAI's format cannot express. */
import { GatewayError } from '../../../types/errors.ts';
import type { Demand, Translation } from '../../../types/chat.ts';

/** Callers choose these names, and the names go into a header. */
const harmless = /^[\w.[\]-]{1,64}$/;

export class Losses {
  readonly #leftOut = new Set<string>();
  readonly #demands: Demand[] = [];

  /** An optional field: other vendors work without it, and the caller gets a warning. */
  leaveOut(field: string): void {
    this.#leftOut.add(harmless.test(field) ? field : 'a field');
  }

  /** A field that changes the meaning of the answer, so other vendors must refuse. `need` completes "<vendor> has no …". */
  demand(param: string, need: string): void {
    this.#demands.push({ param, need });
  }

  get translation(): Translation {
    return { leftOut: [...this.#leftOut], demands: this.#demands };
  }
}

/** A caller's fault in the field `param`. */
export function invalid(param: string, what: string): GatewayError {
  return new GatewayError('invalid_request', `${param}: ${what}`, { param });
}
