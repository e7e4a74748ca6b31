/** Composes the layer of outgoing HTTP: one client each for addresses that administrators, developers and callers name. */
import type { PluginServices } from '../types/plugin.ts';
import type { ProxyServer } from '../types/proxy.ts';
import { createOutboundClient, type OutboundClient } from './client.ts';
import type { ProxyChoice } from './environment-proxy.ts';
import { createOutboundGuard, type OutboundGuard } from './guard.ts';

export interface OutboundParts {
  /** CIDR ranges of private addresses that providers and MCP servers may have. */
  readonly outboundAllow: readonly string[];
  /** CIDR ranges of private addresses that rows of developers may name. */
  readonly outboundAllowDevelopers: readonly string[];
  /** CIDR ranges of private addresses that a caller's request may name. */
  readonly fetchAllow: readonly string[];
  /** The proxies of the environment. */
  readonly proxyOf: ProxyChoice;
  readonly owned: AsyncDisposableStack;
}

export interface Outbound {
  readonly guard: OutboundGuard;
  readonly client: OutboundClient;
  /** For rows that rest on no administrator. */
  readonly developerGuard: OutboundGuard;
  readonly developerClient: OutboundClient;
  /** For addresses that callers name. */
  readonly untrustedGuard: OutboundGuard;
  readonly untrustedClient: OutboundClient;
  /** Creates the guarded `fetch` for a row that sets `proxy`. Null means a direct connection. */
  readonly proxied: (proxy: ProxyServer | null, isTrusted: boolean) => typeof fetch;
}

const developerAdvice =
  'an administrator can save the row, or the operator allow the range to developers with PAILOU_OUTBOUND_ALLOW_DEVELOPERS';

/** For addresses that the operator configures: any but metadata services and reserved ranges. */
export function createOperatorGuard(): OutboundGuard {
  return createOutboundGuard({ allow: ['0.0.0.0/0', '::/0'] });
}

/** The services of a plugin that connect to a network. */
export function networkServices(guard: OutboundGuard, client: OutboundClient): Pick<PluginServices, 'checkUrl' | 'fetch'> {
  return {
    checkUrl: (address, param) => guard.checkUrl(address, param),
    fetch: client.fetch,
  };
}

export function composeOutbound({ outboundAllow, outboundAllowDevelopers, fetchAllow, proxyOf, owned }: OutboundParts): Outbound {
  const clientOf = (guard: OutboundGuard): OutboundClient => {
    const client = createOutboundClient(guard, { proxyOf, proxyGuard: createOperatorGuard() });
    owned.defer(() => client.close());
    return client;
  };
  const guard = createOutboundGuard({ allow: outboundAllow });
  const developerGuard = createOutboundGuard({ allow: outboundAllowDevelopers, advice: developerAdvice, pinned: true });
  const untrustedGuard = createOutboundGuard({ allow: fetchAllow, pinned: true });
  const client = clientOf(guard);
  const developerClient = clientOf(developerGuard);
  const untrustedClient = clientOf(untrustedGuard);
  const proxied = (proxy: ProxyServer | null, isTrusted: boolean): typeof fetch => (isTrusted ? client : developerClient).via(proxy).fetch;
  return { guard, client, developerGuard, developerClient, untrustedGuard, untrustedClient, proxied };
}
