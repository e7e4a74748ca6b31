/** Why a probe failed, in a sentence for operators. */
import type { GatewayError } from '../types/errors.ts';

/** The HTTP status, or the word of the operating system, where there is one. */
function markOf(details: unknown): string {
  if (typeof details !== 'object' || details === null) return '';
  const { status, code } = details as { readonly status?: unknown; readonly code?: unknown };
  if (typeof status === 'number') return ` (HTTP ${status})`;
  return typeof code === 'string' && code !== '' ? ` (${code})` : '';
}

export function probeFailureText({ message, details }: GatewayError): string {
  // The words are for callers; an operator need not be told to try again.
  return `${message.replace(/ (Try again|Wait and try again|What you received is incomplete)\.$/, '')}${markOf(details)}`;
}
