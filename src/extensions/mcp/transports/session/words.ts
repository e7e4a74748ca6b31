/** What a failed connection means, read without loading the SDK, and how it is told without giving a secret away. */
import { GatewayError } from '../../../../types/errors.ts';
import { SourceRefusal } from '../../../../types/tool-source.ts';

/** The SDK's error codes and the status of its HTTP errors. */
function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
function statusOf(error: unknown): number | null {
  return error instanceof Error && 'status' in error && typeof error.status === 'number' ? error.status : null;
}

/** True if the server refused the session before it looked at the request: then, and only then, a call may be sent again. */
export function sessionRefused(error: unknown): boolean {
  const status = statusOf(error);
  if (status !== null) return status === 400 || status === 404;
  return ['NOT_CONNECTED', 'SEND_FAILED'].includes(codeOf(error));
}

/** True if the connection is of no use any more. */
export function isLoss(error: unknown): boolean {
  return (
    statusOf(error) !== null || error instanceof TypeError || ['CONNECTION_CLOSED', 'NOT_CONNECTED', 'SEND_FAILED'].includes(codeOf(error))
  );
}

/** Anything shorter is part of ordinary words. */
const shortestSecret = 8;

/** What went wrong, in the server's or the SDK's words, without the secrets. */
export function wordsOf(thrown: unknown, secrets: readonly string[]): string {
  const words = thrown instanceof Error ? thrown.message : String(thrown);
  return secrets
    .map((secret) => secret.slice(secret.lastIndexOf(' ') + 1))
    .filter((secret) => secret.length >= shortestSecret)
    .reduce((left, secret) => left.replaceAll(secret, '[hidden]').replaceAll(JSON.stringify(secret).slice(1, -1), '[hidden]'), words);
}

export function unreachable(cause: unknown, secrets: readonly string[]): GatewayError {
  if (cause instanceof GatewayError) return cause;
  return new GatewayError('tool_failed', 'The MCP server cannot be reached or does not answer as it should. Tell your administrator.', {
    cause,
    details: wordsOf(cause, secrets).slice(0, 1_000),
  });
}

/** The server's JSON-RPC error as it may be told to the caller; anything else as it is. */
export function refusal(thrown: unknown, secrets: readonly string[]): unknown {
  if (thrown instanceof GatewayError || !(thrown instanceof Error)) return thrown;
  const { code, data } = thrown as Error & { readonly code?: unknown; readonly data?: unknown };
  if (typeof code !== 'number') return unreachable(thrown, secrets);
  return new SourceRefusal(wordsOf(thrown, secrets).slice(0, 2_000), code, data);
}

/** Why nothing more can be asked of a server whose row changed or went. */
export function removed(): GatewayError {
  return new GatewayError('tool_failed', 'This MCP server was just changed or removed. Try again.');
}
