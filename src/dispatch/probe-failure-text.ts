/** The cause of a failed probe, as a sentence for operators. */
import type { GatewayError } from '../types/errors.ts';

/** The HTTP status or system error code, if any. */
function markOf(details: unknown): string {
  if (typeof details !== 'object' || details === null) return '';
  const { status, code } = details as { readonly status?: unknown; readonly code?: unknown };
  if (typeof status === 'number') return ` (HTTP ${status})`;
  return typeof code === 'string' && code !== '' ? ` (${code})` : '';
}

export function probeFailureText({ message, details }: GatewayError): string {
  // The message is for callers; advice to retry is removed for operators.
  return `${message.replace(/ (Try again|Wait and try again|What you received is incomplete)\.$/, '')}${markOf(details)}`;
}
