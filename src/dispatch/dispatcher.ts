/** The router: plan, try, fail over. It fills the run's attempts, deployment and usage; ending the run is its caller's. */
import type { ModelInvoker, Warned } from '../models/invoke.ts';
import type { RelayAnswer, RelayRequest } from '../models/relay.ts';
import type { Run } from '../telemetry/run.ts';
import type { ChatEvents, ChatRequest } from '../types/chat.ts';
import type { Strategy } from '../types/dispatch.ts';
import { GatewayError } from '../types/errors.ts';
import type { Logger } from '../types/logger.ts';
import type { Deployment, ModelEntry } from '../types/snapshot.ts';
import type { EmbeddingsAnswer, EmbeddingsBody, RerankAnswer, RerankBody } from '../types/wire-format.ts';
import { AttemptBook, attemptChat } from './attempt.ts';
import { attemptRelay } from './attempt-relay.ts';
import { Deadlines } from './deadlines.ts';
import { withFailover } from './failover.ts';
import { type DeploymentNumbers, Load } from './load.ts';
import { planDeployments } from './plan.ts';

export interface CallContext {
  readonly run: Run;
  readonly signal: AbortSignal;
  readonly stream: boolean;
}

export interface Answered {
  readonly deployment: Deployment;
  readonly attempts: number;
}

export interface ModelAnswer extends Answered {
  readonly warnings: readonly string[];
  readonly events: ChatEvents;
}

export interface Dispatcher {
  /** Resolves at the first visible event of the answer. Rejects with a GatewayError when every attempt failed. */
  chat(model: ModelEntry, request: ChatRequest, context: CallContext): Promise<ModelAnswer>;
  embeddings(model: ModelEntry, body: EmbeddingsBody, context: CallContext): Promise<Warned<EmbeddingsAnswer> & Answered>;
  rerank(model: ModelEntry, body: RerankBody, context: CallContext): Promise<Warned<RerankAnswer> & Answered>;
  /** Resolves at the head of the answer; a body that breaks off later rejects its reader. */
  relay(model: ModelEntry, request: RelayRequest, context: CallContext): Promise<RelayAnswer & Answered>;
  /** The numbers of this node since its start, by deployment id. */
  health(): Readonly<Record<string, DeploymentNumbers>>;
}

export function createDispatcher(options: {
  readonly invoker: ModelInvoker;
  strategy(kind: string): Strategy | undefined;
  readonly logger: Logger;
}): Dispatcher {
  const { invoker, logger } = options;
  const load = new Load();

  const dispatch = async <T>(model: ModelEntry, context: CallContext, attempt: (deployment: Deployment, totalAt: number) => Promise<T>) => {
    const strategy = options.strategy(model.spec.strategy);
    if (strategy === undefined) throw new GatewayError('internal_error', `The strategy "${model.spec.strategy}" is not loaded.`);
    const totalAt = Date.now() + model.spec.limits.total_ms;
    const { run, signal } = context;
    const plan = planDeployments(model, strategy, load);
    const result = await withFailover({
      plan,
      attempts: model.spec.limits.attempts,
      totalAt,
      signal,
      run,
      attempt: (deployment) => attempt(deployment, totalAt),
    });
    if (result.attempts > 1)
      logger.info(
        { runId: run.id, model: model.name, deployment: result.deployment.id, attempts: result.attempts },
        'answered after failed attempts',
      );
    run.answeredBy(result.deployment.id, result.deployment.price);
    return result;
  };

  /** A call whose whole answer comes at once, under the total limit alone. */
  const once = async <T extends object>(
    model: ModelEntry,
    context: CallContext,
    call: (deployment: Deployment, signal: AbortSignal) => Promise<T>,
  ): Promise<T & Answered> => {
    const { deployment, attempts, value } = await dispatch(model, context, async (each, totalAt) => {
      const book = new AttemptBook(each, { load, run: context.run });
      const deadlines = new Deadlines(context.signal, { at: totalAt, milliseconds: model.spec.limits.total_ms });
      deadlines.set('total', model.spec.limits.total_ms);
      try {
        const answer = await call(each, deadlines.signal);
        book.end(null);
        return answer;
      } catch (thrown) {
        const failure: unknown = deadlines.failure ?? (context.signal.aborted ? context.signal.reason : thrown);
        book.end(failure);
        throw failure;
      } finally {
        deadlines.clear();
      }
    });
    return { ...value, deployment, attempts };
  };

  return {
    async chat(model, request, context) {
      const { run, signal, stream } = context;
      const { deployment, attempts, value } = await dispatch(model, context, (each, totalAt) =>
        attemptChat(each, model, request, stream, { invoker, load, run, signal, totalAt }),
      );
      return { deployment, attempts, ...value };
    },

    embeddings: (model, body, context) => once(model, context, (deployment, signal) => invoker.embeddings(deployment, body, { signal })),

    rerank: (model, body, context) => once(model, context, (deployment, signal) => invoker.rerank(deployment, body, { signal })),

    async relay(model, request, context) {
      const { deployment, attempts, value } = await dispatch(model, context, (each, totalAt) =>
        attemptRelay(each, model, request, { invoker, load, run: context.run, signal: context.signal, totalAt }),
      );
      return { ...value, deployment, attempts };
    },

    health: () => load.all(),
  };
}
