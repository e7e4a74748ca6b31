/** A fetch with a time limit of one hour, for slow answers. */
import { Agent, buildConnector, fetch, type RequestInit, type Response } from 'undici';
import { createOperatorGuard } from './compose-outbound.ts';
import { readEnvironmentProxies } from './environment-proxy.ts';
import { createPoolFactory } from './pools.ts';

const options = { headersTimeout: 3_600_000, bodyTimeout: 3_600_000 };
const guard = createOperatorGuard();
const openPool = createPoolFactory({
  options,
  connect: buildConnector({ allowH2: false }),
  proxyOf: readEnvironmentProxies(process.env, () => {}),
  proxyGuard: guard,
  targetGuard: guard,
});
const longTimeoutAgent = new Agent({ ...options, factory: (origin) => openPool(new URL(origin).origin) });

export type { Response };

export function longTimeoutFetch(url: string, init: RequestInit): Promise<Response> {
  return fetch(url, { ...init, dispatcher: longTimeoutAgent });
}
