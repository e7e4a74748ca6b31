/** A service that a composition lacks. Its use is a defect, and fails. */
import { GatewayError } from './errors.ts';

/** `place` and `name` are for the message, such as "a worker process" and "catalogue of tools". */
export function absentService<T extends object>(place: string, name: string): T {
  return new Proxy<Partial<T>>(
    {},
    {
      get() {
        throw new GatewayError('internal_error', `${place} has no ${name}.`);
      },
    },
  ) as T;
}
