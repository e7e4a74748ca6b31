/** Closes a response whose client has not read any bytes for a given time. */
import type { ServerResponse } from 'node:http';

/** Destroys the connection when bytes have waited for `milliseconds` without one of them being read. Silence without waiting bytes is allowed: a vendor may think for long. */
export function closeStalledClient(response: ServerResponse, milliseconds: number): void {
  response.setTimeout(milliseconds, () => {
    if (response.writableLength > 0) response.destroy();
  });
}
