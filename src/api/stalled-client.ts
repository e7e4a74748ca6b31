/** A caller who takes nothing of an answer that waits for them is gone, whatever their connection says. */
import type { ServerResponse } from 'node:http';

/**
 * Drops the connection when bytes have waited for so many milliseconds without one of them being taken.
 * Silence while there is nothing to take is none of this: a vendor may think for long.
 */
export function closeStalledClient(response: ServerResponse, milliseconds: number): void {
  response.setTimeout(milliseconds, () => {
    if (response.writableLength > 0) response.destroy();
  });
}
