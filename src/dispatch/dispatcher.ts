/** The router: plan, attempt, fail over, fall back. It fills the run's attempts, deployment and usage; the caller ends the run. */
import type { ModelInvoker, Warned } from '../models/invoke.ts';
import type { PassthroughRequest } from '../models/passthrough.ts';
import { pushBatches } from '../streaming/pumped-batches.ts';
import type { Run } from '../telemetry/run.ts';
import { personKey, type Principal } from '../types/access.ts';
import type { ChatBody, ChatEvents, ChatRequest, Usage } from '../types/chat.ts';
import type { CallSignal } from '../types/call-signal.ts';
import type { RoutingContext, Strategy } from '../types/dispatch.ts';
import { GatewayError, toGatewayError } from '../types/errors.ts';
import type { Logger } from '../types/logger.ts';
import type { ChangedModel, Deployment, ModelEntry, Snapshot } from '../types/snapshot.ts';
import type { EmbeddingsAnswer, EmbeddingsBody, Operation, RerankAnswer, RerankBody } from '../types/wire-format.ts';
import { affinityOf } from './affinity.ts';
import { schemaToCheck } from './answer-schema.ts';
import { type AttemptAnswer, attemptChat, type AttemptContext, type ChatAttemptOptions } from './attempt.ts';
import { attemptOnce } from './attempt-once.ts';
import type { AttemptRecorder } from './attempt-recorder.ts';
import { attemptPassthrough, type MeteredPassthrough } from './attempt-passthrough.ts';
import { type CircuitListener, type DeploymentNumbers, Deployments } from './deployments.ts';
import { attemptWithSchema } from './attempt-with-schema.ts';
import { explainRoute, type RouteExplanation } from './explain.ts';
import { type Failover, type FailoverOptions, withFailover } from './failover.ts';
import { type RequiredFeatures, requiredFeatures, nextFallback } from './fallback.ts';
import { MergedUsage } from './merged-usage.ts';
import { planDeployments } from './plan.ts';
import { resumeAnswer } from './resume.ts';
import { monotonicNow } from '../scheduling/monotonic-clock.ts';

export interface CallContext {
  readonly run: Run;
  readonly signal: CallSignal;
  readonly stream: boolean;
  /** The model of a configured fallback, if the caller may use it, otherwise null. */
  fallback(name: string): ModelEntry | null;
  /** Reserves room in the caller's limits before the first attempt at each model. Throws when a limit is reached. */
  admit(model: ModelEntry): void | Promise<void>;
  /** True when the caller validates and repairs the form of the answer itself, as skills do. */
  readonly checksForm?: boolean;
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
  /** The state of each deployment on this node, for the prober. */
  readonly deployments: Deployments;
  /** Resolves at the first visible event of a stream, or with the whole answer. Rejects with a GatewayError when every attempt failed. */
  chat(model: ModelEntry, request: ChatRequest, context: CallContext): Promise<ModelAnswer>;
  embeddings(model: ModelEntry, body: EmbeddingsBody, context: CallContext): Promise<Warned<EmbeddingsAnswer> & Answered>;
  rerank(model: ModelEntry, body: RerankBody, context: CallContext): Promise<Warned<RerankAnswer> & Answered>;
  /** Resolves at the head of the answer. A body that breaks off later rejects its reader. */
  relay(model: ModelEntry, request: PassthroughRequest, context: CallContext): Promise<MeteredPassthrough & Answered>;
  /** The routing of a call at this moment, without making it. */
  explain(model: ModelEntry, body: ChatBody, asker: Pick<CallContext, 'fallback'> & { readonly principal: Principal }): RouteExplanation;
  /** The vendor's own names of its models. Counts for no circuit and no ledger. */
  readonly listModels: ModelInvoker['listModels'];
  /** The counts of this node since its start, by deployment key. */
  health(): Readonly<Record<string, DeploymentNumbers>>;
  /** Removes deployments that are not in `snapshot`. `changed`: the models that changed; absent: looks at all. */
  follow(snapshot: Snapshot, changed?: readonly ChangedModel[]): void;
}

/** One attempt, for each kind of call. */
interface AttemptSpec extends AttemptContext {
  readonly model: ModelEntry;
}

/** A call to the router. */
interface Call<T> {
  readonly operation: Operation;
  readonly body?: ChatBody;
  attempt(deployment: Deployment, spec: AttemptSpec): Promise<T>;
  /** What a hedged attempt waits for. Without it there is no hedging. */
  hedged?(model: ModelEntry): 'first token' | 'answer';
  discard?(value: T): void;
}

/** The result of a call, and its remaining budget. */
interface Dispatched<T> extends Failover<T> {
  readonly model: ModelEntry;
  readonly plan: readonly Deployment[];
  /** Over all models. */
  readonly allAttempts: number;
  readonly totalAt: number;
  /** The names of the models that were tried. */
  readonly tried: Set<string>;
}

/** True when the whole answer is buffered before any of it is emitted. */
function isGathered({ spec }: ModelEntry, stream: boolean): boolean {
  return !stream || spec.interrupted === 'withhold';
}

export function createDispatcher(options: {
  readonly invoker: ModelInvoker;
  strategy(kind: string): Strategy | undefined;
  readonly logger: Logger;
  readonly onCircuit?: CircuitListener;
}): Dispatcher {
  const { invoker, logger } = options;
  const deployments = new Deployments((deployment, turn) => {
    const { state, by, reason } = turn;
    // A failed trial is not reported.
    if (state !== 'half-open' && state !== turn.before)
      logger.warn({ deployment, state, by, reason }, 'the circuit of a deployment changed state');
    options.onCircuit?.(deployment, turn);
  });

  const planFor = (model: ModelEntry, principal: Principal, body: ChatBody | undefined, asking = false): readonly Deployment[] => {
    const strategy = options.strategy(model.spec.strategy);
    if (strategy === undefined) throw new GatewayError('internal_error', `The strategy "${model.spec.strategy}" is not loaded.`);
    // Without a choice the strategy is not asked.
    const { deployments: all } = model;
    if (all.length === 1 && (all[0] as Deployment).weight > 0) return all;
    const routing: RoutingContext = {
      model,
      load: (deployment) => deployments.load(deployment),
      affinity: () => (body === undefined ? personKey(principal) : affinityOf(principal, body)),
      random: Math.random,
      asking,
    };
    return planDeployments(strategy, routing);
  };

  /** The next model that supports the call and whose limits have room for the caller. */
  const fallbackOf = async (
    failed: ModelEntry,
    error: GatewayError,
    call: Pick<Call<unknown>, 'operation' | 'body'>,
    context: CallContext,
    tried: Set<string>,
  ): Promise<ModelEntry | null> => {
    for (;;) {
      const needs = (): RequiredFeatures => requiredFeatures(call.operation, call.body);
      const next = nextFallback(failed, error, needs, (name) => context.fallback(name), tried);
      if (next === null) return null;
      try {
        await context.admit(next);
        return next;
      } catch {
        // A caller that reached one model's limit may have room at the next model.
        tried.add(next.name);
      }
    }
  };

  const hedging = <T>(model: ModelEntry, call: Call<T>): Pick<FailoverOptions<T>, 'hedgeAfter' | 'discard'> => {
    const { hedge } = model.spec;
    if (hedge === undefined || call.hedged === undefined) return {};
    const what = call.hedged(model);
    return {
      discard: (value) => call.discard?.(value),
      hedgeAfter(deployment) {
        const usual = deployments.usual(deployment, what, hedge.percentile, hedge.samples) ?? hedge.unknown_ms;
        return usual === undefined ? null : Math.max(hedge.least_ms, usual);
      },
    };
  };

  /** Tries one model after the other. The first model's total limit applies to the whole call. `answered` makes the result of the call. */
  const dispatch = <T, R>(
    asked: ModelEntry,
    context: CallContext,
    call: Call<T>,
    answered: (dispatched: Dispatched<T>) => R,
  ): Promise<R> => {
    const { run, signal } = context;
    const totalAt = monotonicNow() + asked.spec.limits.total_ms;
    const tried = new Set<string>();
    const tryModel = (model: ModelEntry): Promise<R> => {
      const before = run.attempts.length;
      const plan = planFor(model, run.start.principal, call.body);
      return withFailover({
        model,
        plan,
        deployments,
        totalAt,
        signal,
        attempt: (deployment, permit, signals) =>
          call.attempt(deployment, { signal: signals.signal, dropped: signals.dropped, model, permit, totalAt, run, invoker }),
        ...hedging(model, call),
      }).then(
        ({ deployment, value, attempts }) => {
          const allAttempts = before + attempts;
          if (allAttempts > 1)
            logger.info(
              { runId: run.id, model: asked.name, deployment: deployment.id, attempts: allAttempts },
              'answered after several attempts',
            );
          run.answeredBy(deployment.id, deployment.price, deployment.provider.restricted === true);
          return answered({ deployment, value, attempts, model, plan, allAttempts, totalAt, tried });
        },
        (thrown: unknown) => tryFallback(model, thrown),
      );
    };
    const tryFallback = async (model: ModelEntry, thrown: unknown): Promise<R> => {
      const error = toGatewayError(thrown);
      tried.add(model.name);
      const next = signal.aborted || monotonicNow() >= totalAt ? null : await fallbackOf(model, error, call, context, tried);
      if (next === null) throw thrown;
      logger.info({ runId: run.id, model: model.name, fallback: next.name, error: error.code }, 'falling back to another model');
      return tryModel(next);
    };
    // Limits in this node's memory cost the call no promise.
    const admitted = context.admit(asked);
    return admitted === undefined ? tryModel(asked) : admitted.then(() => tryModel(asked));
  };

  const once = <T extends { readonly usage: Usage | null }>(
    model: ModelEntry,
    operation: Operation,
    context: CallContext,
    call: (deployment: Deployment, signal: AbortSignal, counts: AttemptRecorder) => Promise<T>,
  ): Promise<T & Answered> => {
    const asking: Call<T> = {
      operation,
      attempt: (each, spec) => attemptOnce(each, spec.model, spec, call),
      hedged: () => 'answer',
    };
    return dispatch(model, context, asking, ({ deployment, allAttempts, value }) => ({ ...value, deployment, attempts: allAttempts }));
  };

  return {
    deployments,

    chat(asked, request, context) {
      const { run, signal, stream } = context;
      let mergedUsage: MergedUsage | null = null;
      const chatAttempt = (
        each: Deployment,
        model: ModelEntry,
        wish: ChatAttemptOptions,
        parts: AttemptContext,
      ): Promise<AttemptAnswer> => {
        const schema = schemaToCheck(each, request.body);
        if (schema !== null)
          return attemptWithSchema(each, model, request, wish, {
            ...parts,
            schema,
            checkedByCaller: context.checksForm === true,
            deployments,
            mergedUsage: (mergedUsage ??= new MergedUsage(run)),
          });
        const attempt = attemptChat(each, model, request, wish, parts);
        const merged = mergedUsage;
        // Only after a rejected answer of another attempt.
        if (merged === null || merged.isEmpty) return attempt;
        return attempt.then((answer) => ({ ...answer, events: merged.ending(answer.events, request.body) }));
      };
      const asking: Call<AttemptAnswer> = {
        operation: 'chat',
        body: request.body,
        attempt: (each, spec) => chatAttempt(each, spec.model, { stream, whole: isGathered(spec.model, stream) }, spec),
        hedged: (model) => (isGathered(model, stream) ? 'answer' : 'first token'),
        discard: ({ events }) =>
          void pushBatches(events)
            .cancel()
            ?.catch(() => {}),
      };
      return dispatch(asked, context, asking, ({ deployment, attempts, allAttempts, value, tried, model: answering, plan, totalAt }) => {
        run.firstToken();
        const answered = { deployment, attempts: allAttempts + (value.repairs ?? 0), warnings: value.warnings };
        if (!stream || answering.spec.interrupted !== 'resume') return { ...answered, events: value.events };
        const events = resumeAnswer({
          model: answering,
          plan,
          totalAt,
          request,
          run,
          signal,
          deployments,
          logger,
          deployment,
          attempts,
          events: value.events,
          async fallback(failed, errors) {
            tried.add(failed.name);
            for (const error of errors) {
              const model = await fallbackOf(failed, error, asking, context, tried);
              if (model !== null) return { model, plan: planFor(model, run.start.principal, request.body) };
            }
            return null;
          },
          attempt: (model, each, permit, signals, prefill) =>
            chatAttempt(
              each,
              model,
              { stream, whole: false, prefill: prefill ?? undefined },
              { signal: signals.signal, dropped: signals.dropped, permit, totalAt, run, invoker },
            ),
        });
        return { ...answered, events };
      });
    },

    embeddings: (model, body, context) =>
      once(model, 'embeddings', context, (deployment, signal, counts) =>
        invoker.embeddings(deployment, body, { signal, traceparent: context.run.traceparent, counts }),
      ),

    rerank: (model, body, context) =>
      once(model, 'rerank', context, (deployment, signal, counts) =>
        invoker.rerank(deployment, body, { signal, traceparent: context.run.traceparent, counts }),
      ),

    relay(model, request, context) {
      const asking: Call<MeteredPassthrough> = {
        operation: request.operation,
        attempt: (each, spec) => attemptPassthrough(each, spec.model, request, spec),
      };
      return dispatch(model, context, asking, ({ deployment, allAttempts, value }) => ({ ...value, deployment, attempts: allAttempts }));
    },

    listModels: (deployment, listing) => invoker.listModels(deployment, listing),
    explain: (model, body, asker) => explainRoute(model, body, asker, planFor(model, asker.principal, body, true), deployments),
    health: () => deployments.all(),
    follow({ tenants }, changed) {
      if (changed !== undefined) {
        deployments.leave(changed);
        return;
      }
      const keys = new Set<string>();
      for (const { models } of tenants.values())
        for (const model of models.values()) for (const { key } of model.deployments) keys.add(key);
      deployments.keepOnly(keys);
    },
  };
}
