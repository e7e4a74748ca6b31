/**
 * The rows of attempts. A run whose only attempt answered has no row in `llm_attempt`: deployment, provider, usage and cost of the run are
 * those of the attempt, and the row of the run has the rest. Readers see both alike.
 */
import type { AttemptRecord, RunRecord } from '../types/run.ts';
import type { AttemptTable, RunTable } from './schema.ts';

/** The columns of a run for its only attempt; null for other runs. */
type SingleAttempt = Pick<
  RunTable,
  'attempt_upstream_model' | 'attempt_status' | 'attempt_started_at' | 'attempt_first_token_at' | 'attempt_ended_at'
>;

const none: SingleAttempt = {
  attempt_upstream_model: null,
  attempt_status: null,
  attempt_started_at: null,
  attempt_first_token_at: null,
  attempt_ended_at: null,
};

/** The attempt of a run that needs no row of its own: it answered, and says nothing that the run does not say. */
function singleAttempt(run: RunRecord): AttemptRecord | null {
  const [attempt] = run.attempts;
  if (attempt === undefined || run.attempts.length !== 1 || run.outcome !== 'complete' || attempt.outcome !== 'complete') return null;
  if (attempt.number !== 1 || attempt.deployment !== run.deployment || attempt.error !== null || attempt.detail !== null) return null;
  const [own, all] = [attempt.usage ?? null, run.usage];
  if (own === null || all === null) return null;
  const isSame =
    own.inputTokens === all.inputTokens &&
    own.outputTokens === all.outputTokens &&
    (own.cachedInputTokens ?? null) === (all.cachedInputTokens ?? null) &&
    (own.cacheWriteTokens ?? null) === (all.cacheWriteTokens ?? null) &&
    (attempt.cost ?? null) === run.cost &&
    (run.cost === null || (attempt.costFemto ?? 0) === (run.costFemto ?? 0)) &&
    (attempt.currency ?? null) === run.currency;
  return isSame ? attempt : null;
}

export function singleAttemptColumns(run: RunRecord): SingleAttempt {
  const attempt = singleAttempt(run);
  if (attempt === null) return none;
  return {
    attempt_upstream_model: attempt.upstreamModel,
    attempt_status: attempt.status,
    attempt_started_at: attempt.startedAt,
    attempt_first_token_at: attempt.firstTokenAt,
    attempt_ended_at: attempt.endedAt,
  };
}

/** The rows of `llm_attempt`. */
export function attemptRows(run: RunRecord): AttemptTable[] {
  if (singleAttempt(run) !== null) return [];
  return run.attempts.map((attempt) => ({
    run_id: run.id,
    number: attempt.number,
    deployment: attempt.deployment,
    provider: attempt.provider,
    upstream_model: attempt.upstreamModel,
    started_at: attempt.startedAt,
    first_token_at: attempt.firstTokenAt,
    ended_at: attempt.endedAt,
    outcome: attempt.outcome,
    status: attempt.status,
    error: attempt.error,
    detail: attempt.detail,
    input_tokens: attempt.usage?.inputTokens ?? null,
    output_tokens: attempt.usage?.outputTokens ?? null,
    cached_input_tokens: attempt.usage?.cachedInputTokens ?? null,
    cache_write_tokens: attempt.usage?.cacheWriteTokens ?? null,
    cost: attempt.cost ?? null,
    cost_femto: attempt.cost === undefined || attempt.cost === null ? null : (attempt.costFemto ?? 0),
    currency: attempt.currency ?? null,
    reasoning_tokens: attempt.usage?.reasoningTokens ?? null,
    pictures: attempt.usage?.pictures ?? null,
    milliseconds: attempt.usage?.milliseconds ?? null,
    characters: attempt.usage?.characters ?? null,
    pages: attempt.usage?.pages ?? null,
    searches: attempt.usage?.searches ?? null,
    usage_estimated: attempt.usage?.estimated === true ? 1 : 0,
  }));
}

/** The attempt in the row of a run, as the row that it would have in `llm_attempt`; null when its attempts have rows of their own. */
export function attemptInRun(run: RunTable): AttemptTable | null {
  if (run.attempt_started_at === null) return null;
  return {
    run_id: run.id,
    number: 1,
    deployment: run.deployment ?? '',
    provider: run.provider ?? '',
    upstream_model: run.attempt_upstream_model ?? '',
    started_at: run.attempt_started_at,
    first_token_at: run.attempt_first_token_at,
    ended_at: run.attempt_ended_at ?? run.ended_at,
    outcome: run.outcome,
    status: run.attempt_status,
    error: null,
    detail: null,
    input_tokens: run.input_tokens,
    output_tokens: run.output_tokens,
    cached_input_tokens: run.cached_input_tokens,
    cache_write_tokens: run.cache_write_tokens,
    cost: run.cost,
    cost_femto: run.cost_femto,
    currency: run.currency,
    reasoning_tokens: run.reasoning_tokens,
    pictures: run.pictures,
    milliseconds: run.milliseconds,
    characters: run.characters,
    pages: run.pages,
    searches: run.searches,
    usage_estimated: run.usage_estimated,
  };
}
