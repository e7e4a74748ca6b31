/** A fetch with a time limit of one hour, for slow answers. */
import type { RequestInit, Response } from 'undici';
import { createOperatorGuard } from './compose-outbound.ts';
import { readEnvironmentProxies } from './environment-proxy.ts';
import { createPoolFactory } from './pools.ts';
import { undici } from './undici.ts';

const options = { headersTimeout: 3_600_000, bodyTimeout: 3_600_000 };
const guard = createOperatorGuard();
const openPool = createPoolFactory({
  options,
  connect: undici.buildConnector({ allowH2: false }),
  proxyOf: readEnvironmentProxies(process.env, () => {}),
  proxyGuard: guard,
  targetGuard: guard,
});
const longTimeoutAgent = new undici.Agent({ ...options, factory: (origin) => openPool(new URL(origin).origin) });

export type { Response };

export function longTimeoutFetch(url: string, init: RequestInit): Promise<Response> {
  return undici.fetch(url, { ...init, dispatcher: longTimeoutAgent });
}
