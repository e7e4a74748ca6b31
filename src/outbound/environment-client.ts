/** Connections of the command line, which go through the proxies of the environment. */
import { createOutboundClient, type OutboundClient } from './client.ts';
import { createOperatorGuard } from './compose-outbound.ts';
import { readEnvironmentProxies } from './environment-proxy.ts';

let client: OutboundClient | null = null;

/** Follows no redirect. Idle connections do not keep the process alive. */
export function environmentFetch(): typeof fetch {
  client ??= createOutboundClient(createOperatorGuard(), { proxyOf: readEnvironmentProxies(process.env, () => {}) });
  return client.fetch;
}
