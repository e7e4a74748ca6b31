/** Composes the router: the model invoker, the dispatcher with its circuits, and the prober. */
import { createPictureFetcher } from '../models/image-fetcher.ts';
import { createModelInvoker } from '../models/invoke.ts';
import type { Outbound } from '../outbound/compose-outbound.ts';
import type { PluginRegistry } from '../plugins/registry.ts';
import type { AuditLog } from '../storage/audit.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Logger } from '../types/logger.ts';
import type { Ledger } from '../types/run.ts';
import type { SharedThoughts } from '../types/shared-thoughts.ts';
import type { SnapshotSource } from '../types/snapshot.ts';
import { createDispatcher, type Dispatcher } from './dispatcher.ts';
import { createProber } from './prober.ts';

export interface DispatchParts {
  readonly config: SnapshotSource;
  readonly outbound: Outbound;
  readonly registry: PluginRegistry;
  readonly thoughts: SharedThoughts | null;
  readonly metrics: Pick<Metrics, 'circuitTurned' | 'probed'>;
  readonly audit: Pick<AuditLog, 'append'>;
  readonly logger: Logger;
  readonly owned: AsyncDisposableStack;
}

export interface Dispatch {
  readonly dispatcher: Dispatcher;
  /** Starts the prober. Call it once the server listens. */
  readonly startProber: (ledger: Ledger) => void;
}

export function composeDispatch({ config, outbound, registry, thoughts, metrics, audit, logger, owned }: DispatchParts): Dispatch {
  const invoker = createModelInvoker({
    thoughts,
    client: outbound.client,
    developerClient: outbound.developerClient,
    format: (kind) => registry.instance('format', kind),
    pictures: createPictureFetcher({ guard: outbound.untrustedGuard, fetch: outbound.untrustedClient.fetch }),
  });
  const dispatcher = createDispatcher({
    invoker,
    strategy: (kind) => registry.instance('strategy', kind),
    logger,
    onCircuit(deployment, { state, before, by, reason }) {
      metrics.circuitTurned(deployment, state);
      // One entry for the start of an outage and one for its end, however many trials happen between them.
      if (state === 'half-open' || state === before) return;
      const [tenant = '', id = ''] = deployment.split(' ', 2);
      const why = state === 'open' ? `, found by ${by}${reason === null ? '' : `: ${reason}`}` : '';
      audit.append({ tenant, actor: 'pailou', act: `circuit ${state}`, target: id, requestId: '', detail: `${before} to ${state}${why}` });
    },
  });
  config.onSwap((snapshot, { models }) => dispatcher.follow(snapshot, models));
  return {
    dispatcher,
    startProber(ledger) {
      const prober = createProber({
        deployments: dispatcher.deployments,
        invoker,
        ledger,
        hold: () => config.hold(),
        logger,
        onProbe: (deployment, verdict) => metrics.probed(deployment, verdict),
      });
      owned.defer(() => prober.close());
      prober.follow(config.current());
      config.onSwap((snapshot, { models }) => prober.follow(snapshot, models));
    },
  };
}
