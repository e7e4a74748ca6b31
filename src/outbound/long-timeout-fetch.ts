/** A fetch with a time limit of one hour, for slow answers. */
import { Agent, fetch, type RequestInit, type Response } from 'undici';

const longTimeoutAgent = new Agent({ headersTimeout: 3_600_000, bodyTimeout: 3_600_000 });

export type { Response };

export function longTimeoutFetch(url: string, init: RequestInit): Promise<Response> {
  return fetch(url, { ...init, dispatcher: longTimeoutAgent });
}
