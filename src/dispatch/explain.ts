/** Explains the routing decision of this moment: the order of deployments, and why some are skipped. */
import type { ChatBody } from '../types/chat.ts';
import type { ModelEntry, Deployment } from '../types/snapshot.ts';
import type { Deployments } from './deployments.ts';
import { supportsFeatures, requiredFeatures } from './fallback.ts';
import { monotonicNow } from '../scheduling/monotonic-clock.ts';

export interface RouteExplanation {
  readonly model: string;
  readonly strategy: string;
  /** In the order of attempts. */
  readonly candidates: readonly {
    readonly deployment: string;
    readonly tier: number;
    readonly weight: number;
    readonly takes_calls: boolean;
    readonly reason: string;
    readonly in_flight: number;
    readonly first_token_ms: number | null;
  }[];
  readonly fallbacks: readonly {
    readonly model: string;
    readonly on: readonly string[];
    readonly usable: boolean;
    readonly reason: string;
  }[];
}

export function explainRoute(
  model: ModelEntry,
  body: ChatBody,
  asker: { fallback(name: string): ModelEntry | null },
  plan: readonly Deployment[],
  deployments: Deployments,
): RouteExplanation {
  const now = monotonicNow();
  const needs = requiredFeatures('chat', body);
  return {
    model: model.name,
    strategy: model.spec.strategy,
    candidates: plan.map((deployment, place) => {
      const refusal = deployments.refusal(deployment, model.spec.circuit, now);
      const { inFlight, firstTokenMs } = deployments.load(deployment);
      const turn = `tier ${deployment.tier}, place ${place + 1} by ${model.spec.strategy}`;
      return {
        deployment: deployment.id,
        tier: deployment.tier,
        weight: deployment.weight,
        takes_calls: refusal === null,
        reason: refusal === null ? turn : `${turn}; passed over: ${refusal.reason}, for about ${Math.ceil(refusal.waitMs / 1_000)} s`,
        in_flight: inFlight,
        first_token_ms: firstTokenMs === null ? null : Math.round(firstTokenMs),
      };
    }),
    fallbacks: model.spec.fallbacks.map(({ model: name, on }) => {
      const found = asker.fallback(name);
      const able = found !== null && supportsFeatures(found, needs);
      const reason =
        found === null
          ? 'you may not use it, or it is switched off'
          : able
            ? 'it can do what the call needs'
            : 'it cannot do what the call needs';
      return { model: name, on, usable: able, reason };
    }),
  };
}
