/**
 * A streamed answer that breaks off in the middle goes on at another deployment: from its beginning where a model can be given one, else with
 * a second answer that is kept back while it says the same once more. Where neither leads to the very same words, the call ends with an error.
 * When the deployments of its model have had their chance, those of the fallback models have theirs.
 */
import type { Run } from '../telemetry/run.ts';
import type { ChatEvent, ChatEvents, ChatRequest } from '../types/chat.ts';
import { GatewayError, toGatewayError } from '../types/errors.ts';
import type { Logger } from '../types/logger.ts';
import type { Deployment, ModelEntry } from '../types/snapshot.ts';
import type { AttemptAnswer } from './attempt.ts';
import { RestartDetector } from './restart-detector.ts';
import { type AttemptSignals, Dropped } from './attempt-recorder.ts';
import { resumePrefillFor, repeatedContent } from './resume-prefill.ts';
import { MergedUsage, type Use, wordsIn } from './merged-usage.ts';
import type { Deployments, Permit } from './deployments.ts';
import { withFailover } from './failover.ts';
import { ResumeMatcher } from './resume-matcher.ts';
import { DeliveredContent } from './delivered-content.ts';

export interface ResumeOptions {
  readonly model: ModelEntry;
  readonly request: ChatRequest;
  readonly run: Run;
  readonly signal: AbortSignal;
  readonly deployments: Deployments;
  readonly logger: Logger;
  readonly plan: readonly Deployment[];
  readonly totalAt: number;
  /** The answer so far: who gives it, and which attempt at this model it is. */
  readonly deployment: Deployment;
  readonly attempts: number;
  readonly events: ChatEvents;
  /** The model that takes over when `failed` could not go on, for the first of `errors` that has one; null: there is none that the caller may use. */
  fallback(failed: ModelEntry, errors: readonly GatewayError[]): Promise<Pick<Route, 'model' | 'plan'> | null>;
  attempt(
    model: ModelEntry,
    deployment: Deployment,
    permit: Permit,
    signals: AttemptSignals,
    prefill: string | null,
  ): Promise<AttemptAnswer>;
}

/** The model whose deployments are asked, in their order, and how many attempts were made at it. */
interface Route {
  readonly model: ModelEntry;
  readonly plan: readonly Deployment[];
  readonly attempts: number;
}

/** One deployment's part of the answer. */
interface Part {
  readonly deployment: Deployment;
  readonly events: ChatEvents;
  /** What it was asked, for an estimate of what that cost. */
  readonly asked: ChatRequest['body'];
  /** Null for the first. */
  readonly overlap: ResumeMatcher | null;
  /** Where it was given a beginning to go on from at once. */
  readonly afresh?: RestartDetector | undefined;
  drop(why: string): void;
}

/** Those behind the one that broke off, then all from the start, it last and only where it may be tried again. */
function candidates({ plan, model }: Route, broken: Deployment): readonly Deployment[] {
  const at = plan.findIndex(({ key }) => key === broken.key);
  return [...plan.slice(at + 1), ...plan.slice(0, at), ...(model.spec.retry.same > 0 ? [broken] : [])];
}

/** The events of the answer, whoever gives them. Rejects with what the caller should see where nobody can go on. */
export async function* resumeAnswer(options: ResumeOptions): AsyncGenerator<readonly ChatEvent[]> {
  const { request, run } = options;
  const said = new DeliveredContent();
  const bill = new MergedUsage(run);
  let route: Route = options;
  let part: Part = { deployment: options.deployment, events: options.events, asked: request.body, overlap: null, drop: () => {} };
  for (;;) {
    const use: Use = { asked: part.asked, heard: '', reported: null };
    let over = false;
    let failure: GatewayError;
    try {
      for await (const batch of part.events) {
        use.heard += wordsIn(batch);
        const last = batch.at(-1);
        if (last?.type === 'response-end') use.reported = last.usage;
        const fresh = part.overlap === null ? batch : newIn(batch, part);
        if (fresh.length === 0) continue;
        said.add(fresh);
        over = last?.type === 'response-end';
        yield over ? bill.onLast(fresh, use) : fresh;
      }
      over = true;
      return;
    } catch (thrown) {
      failure = toGatewayError(thrown);
      over = true;
      const why = said.obstacle ?? hindrance(failure, options, route);
      if (!bill.isEmpty || why === null) bill.add(use, part.deployment.price);
      if (why !== null) {
        options.logger.info(
          { runId: run.id, deployment: part.deployment.id, error: failure.code, why },
          'a cut answer is not gone on with',
        );
        throw failure;
      }
    } finally {
      // Left by the reader in the middle.
      if (!over && !bill.isEmpty) bill.add(use, part.deployment.price);
    }
    ({ part, route } = await goOn(options, route, part.deployment, said, failure));
    run.answeredBy(part.deployment.id, part.deployment.price, part.deployment.provider.restricted === true);
    const { model, attempts } = route;
    options.logger.info({ runId: run.id, model: model.name, deployment: part.deployment.id, attempts }, 'going on with a cut answer');
  }
}

function newIn(batch: readonly ChatEvent[], part: Part): readonly ChatEvent[] {
  try {
    return part.overlap?.take(part.afresh?.take(batch) ?? batch) ?? batch;
  } catch (thrown) {
    part.drop('it said something else than what had been sent');
    throw thrown;
  }
}

/** Why the call may not go on; null if it may. */
function hindrance(failure: GatewayError, { signal, totalAt }: ResumeOptions, { model, attempts }: Route): string | null {
  if (signal.aborted) return 'the caller left';
  if (!failure.retryable) return 'the failure is final';
  if (attempts >= model.spec.limits.attempts && model.spec.fallbacks.length === 0) return 'the attempts are used up';
  return Date.now() >= totalAt ? 'the time is used up' : null;
}

async function goOn(
  options: ResumeOptions,
  current: Route,
  broken: Deployment,
  said: DeliveredContent,
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
        attempt: (deployment, permit) => attemptPart(options, model, deployment, permit, said),
      });
      return { part: value, route: { ...route, attempts } };
    } catch (thrown) {
      if (signal.aborted) throw signal.reason;
      failure = toGatewayError(thrown);
    }
    const next = Date.now() >= totalAt ? null : await options.fallback(model, failure === cut ? [cut] : [failure, cut]);
    if (next === null) throw failure === cut ? cut : nobodyGoesOn(cut, failure);
    options.logger.info(
      { runId: options.run.id, model: model.name, fallback: next.model.name, error: failure.code },
      'going on with a cut answer at another model',
    );
    route = { ...next, attempts: 0 };
    plan = next.plan;
  }
}

function nobodyGoesOn(cut: GatewayError, last: GatewayError): GatewayError {
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
  said: DeliveredContent,
): Promise<Part> {
  const { request, signal } = options;
  const own = new AbortController();
  const beginning = resumePrefillFor(deployment, request, said);
  try {
    const { events } = await options.attempt(
      model,
      deployment,
      permit,
      { signal: AbortSignal.any([signal, own.signal]), dropped: own.signal },
      beginning?.text ?? null,
    );
    return {
      deployment,
      events,
      asked: beginning === null ? request.body : beginning.body,
      overlap: beginning === null ? new ResumeMatcher(said.soFar()) : new ResumeMatcher(repeatedContent(beginning), { thinks: false }),
      afresh: beginning?.repeats === '' ? new RestartDetector(beginning.text) : undefined,
      drop: (why) => own.abort(new Dropped(why)),
    };
  } catch (thrown) {
    const error = toGatewayError(thrown);
    if (error.retryable || signal.aborted) throw error;
    // The request itself was good enough for the one that began to answer it: what this one refuses is no fault of the caller's.
    throw new GatewayError(error.code, error.message, { details: error.details, retryable: true, cause: thrown });
  }
}
