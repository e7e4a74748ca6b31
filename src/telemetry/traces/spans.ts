/** The spans of a recorded run: one for the run, and one for each of its attempts. */
import { type Attributes, type HrTime, type SpanContext, SpanKind, type SpanStatus, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { Usage } from '../../types/chat.ts';
import { amountNumber, joinAmount } from '../../types/money.ts';
import type { AttemptRecord, Outcome, RunRecord, RunTrace } from '../../types/run.ts';
import { attribute, operationNames } from './conventions.ts';
import { attemptSpanIdOf, spanIdOf } from './trace-context.ts';

const hrTime = (ms: number): HrTime => [Math.floor(ms / 1_000), (ms % 1_000) * 1_000_000];

interface Described {
  readonly name: string;
  readonly kind: SpanKind;
  readonly id: string;
  readonly parent: string | null;
  readonly isParentRemote: boolean;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly outcome: Outcome;
  readonly attributes: Attributes;
}

/** A caller that left is no error of this service. */
const statusOf = (outcome: Outcome): SpanStatus => ({ code: outcome === 'error' ? SpanStatusCode.ERROR : SpanStatusCode.UNSET });

/** Without the attributes that the run does not have: an empty value is none to a collector. */
const withValues = (attributes: Attributes): Attributes =>
  Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined && value !== null));

function spanOf(
  described: Described,
  { traceId }: RunTrace,
  common: Pick<ReadableSpan, 'resource' | 'instrumentationScope'>,
): ReadableSpan {
  const { name, kind, id, parent, isParentRemote, startedAt, endedAt, outcome, attributes } = described;
  const traceFlags = TraceFlags.SAMPLED;
  const context: SpanContext = { traceId, spanId: id, traceFlags };
  return {
    name,
    kind,
    spanContext: () => context,
    ...(parent === null ? {} : { parentSpanContext: { traceId, spanId: parent, traceFlags, isRemote: isParentRemote } }),
    startTime: hrTime(startedAt),
    endTime: hrTime(endedAt),
    duration: hrTime(endedAt - startedAt),
    status: statusOf(outcome),
    attributes: withValues(attributes),
    links: [],
    events: [],
    ended: true,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
    ...common,
  };
}

function usageAttributes(usage: Usage | null | undefined): Attributes {
  if (usage === null || usage === undefined) return {};
  return {
    [attribute.inputTokens]: usage.inputTokens,
    [attribute.outputTokens]: usage.outputTokens,
    [attribute.cachedInputTokens]: usage.cachedInputTokens,
    [attribute.cacheWriteTokens]: usage.cacheWriteTokens,
    ...(usage.estimated === true ? { [attribute.estimated]: true } : {}),
  };
}

function costAttributes({ cost, costFemto, currency }: Pick<RunRecord | AttemptRecord, 'cost' | 'costFemto' | 'currency'>): Attributes {
  if (cost === null || cost === undefined) return {};
  return { [attribute.cost]: amountNumber(joinAmount(cost, costFemto ?? 0)), [attribute.currency]: currency ?? undefined };
}

const ofError = (error: string | null): Attributes => (error === null ? {} : { [attribute.error]: error });
const ofFirstToken = ({ firstTokenAt, startedAt }: Pick<RunRecord, 'firstTokenAt' | 'startedAt'>): Attributes =>
  firstTokenAt === null ? {} : { [attribute.firstTokenMs]: firstTokenAt - startedAt };

const memberOf: Readonly<Record<string, string>> = { model: attribute.requestModel, skill: attribute.agent, mcp: attribute.tool };

/** What the run called, by the kind of its capability. */
function subjectAttributes(capability: string): Attributes {
  const slash = capability.indexOf('/');
  const member = memberOf[capability.slice(0, slash)];
  return member === undefined ? {} : { [member]: capability.slice(slash + 1) };
}

function runSpan(run: RunRecord, trace: RunTrace): Described {
  const operation = operationNames[run.operation] ?? run.operation;
  return {
    name: `${operation} ${run.capability.slice(run.capability.indexOf('/') + 1)}`,
    kind: run.parent === null ? SpanKind.SERVER : SpanKind.INTERNAL,
    id: spanIdOf(run.id),
    parent: run.parent === null ? trace.parentSpanId : spanIdOf(run.parent),
    isParentRemote: run.parent === null,
    startedAt: run.startedAt,
    endedAt: run.endedAt,
    outcome: run.outcome,
    attributes: {
      [attribute.operation]: operation,
      ...subjectAttributes(run.capability),
      [attribute.run]: run.id,
      [attribute.request]: run.requestId,
      [attribute.tenant]: run.tenant,
      [attribute.user]: run.subject,
      [attribute.key]: run.key ?? undefined,
      [attribute.client]: run.client ?? undefined,
      [attribute.deployment]: run.deployment ?? undefined,
      [attribute.streamed]: run.streamed,
      [attribute.outcome]: run.outcome,
      ...ofFirstToken(run),
      ...usageAttributes(run.usage),
      ...costAttributes(run),
      ...ofError(run.error),
    },
  };
}

function attemptSpan(run: RunRecord, attempt: AttemptRecord): Described {
  const operation = operationNames[run.operation] ?? run.operation;
  return {
    name: `${operation} ${attempt.upstreamModel}`,
    kind: SpanKind.CLIENT,
    id: attemptSpanIdOf(run.id, attempt.number),
    parent: spanIdOf(run.id),
    isParentRemote: false,
    startedAt: attempt.startedAt,
    endedAt: attempt.endedAt,
    outcome: attempt.outcome,
    attributes: {
      [attribute.operation]: operation,
      [attribute.provider]: attempt.provider,
      [attribute.requestModel]: attempt.upstreamModel,
      [attribute.deployment]: attempt.deployment,
      [attribute.attempt]: attempt.number,
      [attribute.outcome]: attempt.outcome,
      [attribute.status]: attempt.status ?? undefined,
      ...ofFirstToken(attempt),
      ...usageAttributes(attempt.usage),
      ...costAttributes(attempt),
      ...ofError(attempt.error),
    },
  };
}

/** The attempts precede their run. Contents of messages are never part of a span. */
export function spansOf(run: RunRecord, trace: RunTrace, resource: Resource, version: string): readonly ReadableSpan[] {
  const common = { resource, instrumentationScope: { name: 'pailou', version } };
  return [...run.attempts.map((attempt) => attemptSpan(run, attempt)), runSpan(run, trace)].map((each) => spanOf(each, trace, common));
}
