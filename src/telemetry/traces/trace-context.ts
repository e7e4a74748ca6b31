/** W3C Trace Context (https://www.w3.org/TR/trace-context/): the ids of runs as those of traces and spans, and the `traceparent` header. */
import type { RunTrace } from '../../types/run.ts';

/** The caller's span, from its `traceparent` header. */
export interface RemoteSpan {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  readonly sampled: boolean;
}

const pattern = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Null for an absent or invalid header: the trace then starts here. A later version may have more fields. */
export function readTraceparent(header: string | undefined): RemoteSpan | null {
  if (header === undefined) return null;
  const [, version, traceId, spanId, flags, more] = pattern.exec(header.trim()) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return null;
  if (version === '00' && more !== undefined) return null;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** A run's id is a UUID: without its dashes it has the form of a trace id. */
export function traceIdOf(runId: string): string {
  return runId.replaceAll('-', '');
}

/** The span of a run: the random half of its id. */
export function spanIdOf(runId: string): string {
  return `${runId.slice(19, 23)}${runId.slice(24)}`;
}

/** The span of an attempt: that of its run, with the number of the attempt (from 1) in the last byte. */
export function attemptSpanIdOf(runId: string, number: number): string {
  const span = spanIdOf(runId);
  const last = Number.parseInt(span.slice(14), 16) ^ (number & 0xff);
  return span.slice(0, 14) + last.toString(16).padStart(2, '0');
}

/** The header for requests that a run sends. */
export function traceparentOf(runId: string, { traceId, sampled }: RunTrace): string {
  return `00-${traceId}-${spanIdOf(runId)}-0${sampled ? 1 : 0}`;
}
