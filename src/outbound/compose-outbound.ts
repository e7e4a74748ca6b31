/** Composes the layer of outgoing HTTP: one client for addresses that the configuration names, one for addresses that callers name. */
import { createOutboundClient, type OutboundClient } from './client.ts';
import { createOutboundGuard, type OutboundGuard } from './guard.ts';

export interface OutboundParts {
  /** CIDR ranges of private addresses that providers and MCP servers may have. */
  readonly outboundAllow: readonly string[];
  /** CIDR ranges of private addresses that a caller's request may name. */
  readonly fetchAllow: readonly string[];
  readonly owned: AsyncDisposableStack;
}

export interface Outbound {
  readonly guard: OutboundGuard;
  readonly client: OutboundClient;
  /** For addresses that callers name. */
  readonly untrustedGuard: OutboundGuard;
  readonly untrustedClient: OutboundClient;
}

export function composeOutbound({ outboundAllow, fetchAllow, owned }: OutboundParts): Outbound {
  const guard = createOutboundGuard({ allow: outboundAllow });
  const client = createOutboundClient(guard);
  owned.defer(() => client.close());
  const untrustedGuard = createOutboundGuard({ allow: fetchAllow });
  const untrustedClient = createOutboundClient(untrustedGuard);
  owned.defer(() => untrustedClient.close());
  return { guard, client, untrustedGuard, untrustedClient };
}
