/** Composes the layer of outgoing HTTP: one client each for addresses that administrators, developers and callers name. */
import { createOutboundClient, type OutboundClient } from './client.ts';
import { createOutboundGuard, type OutboundGuard } from './guard.ts';

export interface OutboundParts {
  /** CIDR ranges of private addresses that providers and MCP servers may have. */
  readonly outboundAllow: readonly string[];
  /** CIDR ranges of private addresses that rows of developers may name. */
  readonly outboundAllowDevelopers: readonly string[];
  /** CIDR ranges of private addresses that a caller's request may name. */
  readonly fetchAllow: readonly string[];
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
}

const developerAdvice =
  'an administrator can save the row, or the operator allow the range to developers with PAILOU_OUTBOUND_ALLOW_DEVELOPERS';

export function composeOutbound({ outboundAllow, outboundAllowDevelopers, fetchAllow, owned }: OutboundParts): Outbound {
  const guard = createOutboundGuard({ allow: outboundAllow });
  const client = createOutboundClient(guard);
  owned.defer(() => client.close());
  const developerGuard = createOutboundGuard({ allow: outboundAllowDevelopers, advice: developerAdvice });
  const developerClient = createOutboundClient(developerGuard);
  owned.defer(() => developerClient.close());
  const untrustedGuard = createOutboundGuard({ allow: fetchAllow });
  const untrustedClient = createOutboundClient(untrustedGuard);
  owned.defer(() => untrustedClient.close());
  return { guard, client, developerGuard, developerClient, untrustedGuard, untrustedClient };
}
