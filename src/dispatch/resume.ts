/**
 * Resumes an interrupted streamed answer at another deployment. A model that supports prefill continues the delivered text. Otherwise a
 * second answer is held while it repeats the delivered text. When both differ from the delivered text, the call ends with an error. After
 * the deployments of the model, those of its fallback models are tried.
 */
import { Cancellation, cancellationWithin } from '../scheduling/cancellation.ts';
import type { Run } from '../telemetry/run.ts';
import type { CallSignal } from '../types/call-signal.ts';
import type { ChatEvent, ChatEvents, ChatRequest } from '../types/chat.ts';
import { GatewayError, toGatewayError } from '../types/errors.ts';
import type { Logger } from '../types/logger.ts';
import type { Deployment, ModelEntry } from '../types/snapshot.ts';
import type { AttemptAnswer } from './attempt.ts';
import { RestartDetector } from './restart-detector.ts';
import { type AttemptSignals, Dropped } from './attempt-recorder.ts';
import { resumePrefillFor, repeatedContent } from './resume-prefill.ts';
import { MergedUsage, type Use, textOf } from './merged-usage.ts';
import type { Deployments, Permit } from './deployments.ts';
import { withFailover } from './failover.ts';
import { ResumeMatcher } from './resume-matcher.ts';
import { DeliveredContent } from './delivered-content.ts';
import { monotonicNow } from '../scheduling/monotonic-clock.ts';

export interface ResumeOptions {
  readonly model: ModelEntry;
  readonly request: ChatRequest;
  readonly run: Run;
  readonly signal: CallSignal;
  readonly deployments: Deployments;
  readonly logger: Logger;
  readonly plan: readonly Deployment[];
  readonly totalAt: number;
  /** The deployment of the answer so far, and the number of its attempt at this model. */
  readonly deployment: Deployment;
  readonly attempts: number;
  readonly events: ChatEvents;
  /** The fallback model after `failed`, for the first of `errors` that has one; null when there is none that the caller may use. */
  fallback(failed: ModelEntry, errors: readonly GatewayError[]): Promise<Pick<Route, 'model' | 'plan'> | null>;
  attempt(
    model: ModelEntry,
    deployment: Deployment,
    permit: Permit,
    signals: AttemptSignals,
    prefill: string | null,
  ): Promise<AttemptAnswer>;
}

/** The model in use, its deployments in order, and the number of attempts at it. */
interface Route {
  readonly model: ModelEntry;
  readonly plan: readonly Deployment[];
  readonly attempts: number;
}

/** One deployment's part of the answer. */
interface Part {
  readonly deployment: Deployment;
  readonly events: ChatEvents;
  /** The request of this part, for a usage estimate. */
  readonly request: ChatRequest['body'];
  /** Null for the first part. */
  readonly overlap: ResumeMatcher | null;
  /** Set when the model received a prefill that it continues at once. */
  readonly restartDetector?: RestartDetector | undefined;
  drop(why: string): void;
}

/** The deployments after the broken one, then all from the start. The broken one comes last, and only if it may be retried. */
function candidates({ plan, model }: Route, broken: Deployment): readonly Deployment[] {
  const at = plan.findIndex(({ key }) => key === broken.key);
  return [...plan.slice(at + 1), ...plan.slice(0, at), ...(model.spec.retry.same > 0 ? [broken] : [])];
}

/** The events of the answer, from all deployments. Rejects with the caller's error when no deployment can continue. */
export async function* resumeAnswer(options: ResumeOptions): AsyncGenerator<readonly ChatEvent[]> {
  const { request, run } = options;
  const delivered = new DeliveredContent();
  const mergedUsage = new MergedUsage(run);
  let route: Route = options;
  let part: Part = { deployment: options.deployment, events: options.events, request: request.body, overlap: null, drop: () => {} };
  for (;;) {
    const use: Use = { request: part.request, text: '', reported: null };
    let ended = false;
    let failure: GatewayError;
    try {
      for await (const batch of part.events) {
        use.text += textOf(batch);
        const last = batch.at(-1);
        if (last?.type === 'response-end') use.reported = last.usage;
        const newEvents = part.overlap === null ? batch : newIn(batch, part);
        if (newEvents.length === 0) continue;
        delivered.add(newEvents);
        ended = last?.type === 'response-end';
        yield ended ? mergedUsage.onLast(newEvents, use) : newEvents;
      }
      ended = true;
      return;
    } catch (thrown) {
      failure = toGatewayError(thrown);
      ended = true;
      const why = delivered.obstacle ?? obstacleOf(failure, options, route);
      if (!mergedUsage.isEmpty || why === null) mergedUsage.add(use, part.deployment);
      if (why !== null) {
        options.logger.info(
          { runId: run.id, deployment: part.deployment.id, error: failure.code, why },
          'an interrupted answer is not resumed',
        );
        throw failure;
      }
    } finally {
      // The reader left before the end.
      if (!ended && !mergedUsage.isEmpty) mergedUsage.add(use, part.deployment);
    }
    ({ part, route } = await continueElsewhere(options, route, part.deployment, delivered, failure));
    run.answeredBy(part.deployment.id, part.deployment.price, part.deployment.provider.restricted === true);
    const { model, attempts } = route;
    options.logger.info({ runId: run.id, model: model.name, deployment: part.deployment.id, attempts }, 'resuming an interrupted answer');
  }
}

function newIn(batch: readonly ChatEvent[], part: Part): readonly ChatEvent[] {
  try {
    return part.overlap?.take(part.restartDetector?.take(batch) ?? batch) ?? batch;
  } catch (thrown) {
    part.drop('it differed from the delivered text');
    throw thrown;
  }
}

/** The reason why the call cannot continue; null when it can. */
function obstacleOf(failure: GatewayError, { signal, totalAt }: ResumeOptions, { model, attempts }: Route): string | null {
  if (signal.aborted) return 'the caller left';
  if (!failure.retryable) return 'the failure is final';
  if (attempts >= model.spec.limits.attempts && model.spec.fallbacks.length === 0) return 'the attempts are used up';
  return monotonicNow() >= totalAt ? 'the time is used up' : null;
}

async function continueElsewhere(
  options: ResumeOptions,
  current: Route,
  broken: Deployment,
  delivered: DeliveredContent,
  cut: GatewayError,
): Promise<{ readonly part: Part; readonly route: Route }> {
  const { deployments, totalAt, signal } = options;
  let route = current;
  let plan = candidates(route, broken);
  for (;;) {
    const { model, attempts: made } = route;
    let failure: GatewayError;
    try {
      if (plan.length === 0 || made >= model.spec.limits.attempts) throw cut;
      const { value, attempts } = await withFailover<Part>({
        model,
        plan,
        deployments,
        totalAt,
        signal,
        made,
        attempt: (deployment, permit) => attemptPart(options, model, deployment, permit, delivered),
      });
      return { part: value, route: { ...route, attempts } };
    } catch (thrown) {
      if (signal.aborted) throw signal.reason;
      failure = toGatewayError(thrown);
    }
    const next = monotonicNow() >= totalAt ? null : await options.fallback(model, failure === cut ? [cut] : [failure, cut]);
    if (next === null) throw failure === cut ? cut : noContinuation(cut, failure);
    options.logger.info(
      { runId: options.run.id, model: model.name, fallback: next.model.name, error: failure.code },
      'resuming an interrupted answer at another model',
    );
    route = { ...next, attempts: 0 };
    plan = next.plan;
  }
}

function noContinuation(cut: GatewayError, last: GatewayError): GatewayError {
  return new GatewayError(
    'upstream_interrupted',
    'The vendor cut the answer short, and no other deployment could go on with it. What you received is incomplete.',
    { details: { cut: { code: cut.code, details: cut.details }, last: { code: last.code, details: last.details } }, cause: last },
  );
}

async function attemptPart(
  options: ResumeOptions,
  model: ModelEntry,
  deployment: Deployment,
  permit: Permit,
  delivered: DeliveredContent,
): Promise<Part> {
  const { request, signal } = options;
  const dropped = new Cancellation();
  const either = cancellationWithin(signal);
  dropped.addEventListener('abort', () => either.abort(dropped.reason));
  const beginning = resumePrefillFor(deployment, request, delivered);
  try {
    const { events } = await options.attempt(model, deployment, permit, { signal: either, dropped }, beginning?.text ?? null);
    return {
      deployment,
      events,
      request: beginning === null ? request.body : beginning.body,
      overlap: beginning === null ? new ResumeMatcher(delivered.soFar()) : new ResumeMatcher(repeatedContent(beginning), { thinks: false }),
      restartDetector: beginning?.repeats === '' ? new RestartDetector(beginning.text) : undefined,
      drop: (why) => dropped.abort(new Dropped(why)),
    };
  } catch (thrown) {
    const error = toGatewayError(thrown);
    if (error.retryable || signal.aborted) throw error;
    // The first deployment accepted the request, so a refusal here is not the caller's fault.
    throw new GatewayError(error.code, error.message, { details: error.details, retryable: true, cause: thrown });
  }
}
