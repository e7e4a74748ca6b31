/** Classifies connection errors without loading the SDK, and redacts secrets in their messages. */
import { GatewayError } from '../../../../types/errors.ts';
import { SourceRefusal } from '../../../../types/tool-source.ts';

/** The SDK's error codes and the status of its HTTP errors. */
function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
function statusOf(error: unknown): number | null {
  return error instanceof Error && 'status' in error && typeof error.status === 'number' ? error.status : null;
}

/** True if the server refused the session before it processed the request. Only then may a call be sent again. */
export function sessionRefused(error: unknown): boolean {
  const status = statusOf(error);
  if (status !== null) return status === 400 || status === 404;
  return ['NOT_CONNECTED', 'SEND_FAILED'].includes(codeOf(error));
}

/** True if the connection is no longer usable. */
export function isConnectionLost(error: unknown): boolean {
  return (
    statusOf(error) !== null || error instanceof TypeError || ['CONNECTION_CLOSED', 'NOT_CONNECTED', 'SEND_FAILED'].includes(codeOf(error))
  );
}

/** Shorter secrets are not redacted in errors, because they occur in ordinary words. */
const shortestSecret = 8;
/** Shorter secrets are not redacted in successful results. Headers and variables also hold regions and names, which occur in results. */
const shortestInAnswers = 16;
/** Values that are no secrets: numbers, words, host names, mail addresses, paths, and URLs without a password. */
const plainForms: readonly RegExp[] = [
  /^\d+$/,
  /^[A-Za-z]{1,15}([_./,-][A-Za-z]{1,15})*$/,
  /^[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}(:\d+)?$/,
  /^[\w.+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}$/,
  /^([.~]{0,2}\/|[A-Za-z]:\\)[^=+]*$/,
  /^[a-z][a-z0-9+.-]*:\/\/[^@]*$/,
];
/** True for a run of letters and digits as in keys. It may be in the path or query of a URL, or after the slash with which base64 may begin. */
function containsKey(text: string): boolean {
  const [start = ''] = /^([a-z][a-z0-9+.-]*:\/\/[^/?#]*|[.~]{0,2}(?=\/)|[A-Za-z]:(?=\\))/.exec(text) ?? [];
  if (start === '' && !text.startsWith('/')) return false;
  return (text.slice(start.length).match(/[A-Za-z\d]{16,}/g) ?? []).some((row) => /\d/.test(row) && /[A-Za-z]/.test(row));
}
const isPlain = (text: string): boolean => plainForms.some((form) => form.test(text)) && !containsKey(text);

/** True for a value that is long enough and not of a plain form. */
const isSecret = (text: string): boolean => text.length >= shortestInAnswers && !isPlain(text);

/** The secret parts of each value: without a scheme such as `Bearer`, and the secret parts of cookies and connection strings. */
const secretPartsOf = (secrets: readonly string[]): readonly string[] =>
  secrets.flatMap((secret) => {
    const words = secret.split(/[\s;]+/).flatMap((word) => [word, word.slice(word.indexOf('=') + 1)]);
    return [secret.slice(secret.lastIndexOf(' ') + 1), ...words.filter(isSecret)];
  });

/** The forms in which a secret may occur in a text: as it is, and in the escaping of JSON. */
function encodingsOf(parts: readonly string[]): readonly string[] {
  const long = parts.filter((secret) => secret.length >= shortestSecret);
  return [...new Set(long.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]))];
}

const redact = (text: string, encodings: readonly string[]): string =>
  encodings.reduce((left, encoding) => left.replaceAll(encoding, '[hidden]'), text);

/** The message of the server or the SDK, with secrets redacted. */
export function failureText(thrown: unknown, secrets: readonly string[]): string {
  return redact(thrown instanceof Error ? thrown.message : String(thrown), encodingsOf(secretPartsOf(secrets)));
}

/** Redacts the secrets of the request in all texts of a server's answer. In a successful answer (`isGood`), only values that are certainly secrets are redacted. */
export function withoutSecrets<T>(answer: T, secrets: readonly string[], isGood: boolean): T {
  const parts = secretPartsOf(secrets);
  const encodings = encodingsOf(isGood ? parts.filter(isSecret) : parts);
  if (encodings.length === 0) return answer;
  const walk = (part: unknown): unknown => {
    if (typeof part === 'string') return redact(part, encodings);
    if (Array.isArray(part)) return part.map(walk);
    if (typeof part !== 'object' || part === null) return part;
    return Object.fromEntries(Object.entries(part).map(([key, each]) => [key, walk(each)]));
  };
  return walk(answer) as T;
}

function saidBefore(words: string, secrets: readonly string[]): string {
  return words === '' ? '' : `; its last lines on standard error: ${failureText(words, secrets)}`;
}

/** `lastWords`: what a program wrote last to its standard error. */
export function unreachable(cause: unknown, secrets: readonly string[], lastWords = ''): GatewayError {
  if (cause instanceof GatewayError) return cause;
  return new GatewayError('tool_failed', 'The MCP server cannot be reached or answers with an error. Tell your administrator.', {
    cause,
    details: failureText(cause, secrets).slice(0, 1_000) + saidBefore(lastWords, secrets),
  });
}

/** The server's JSON-RPC error for the caller, with secrets redacted. Other thrown values stay as they are. */
export function refusal(thrown: unknown, secrets: readonly string[]): unknown {
  if (thrown instanceof GatewayError || !(thrown instanceof Error)) return thrown;
  const { code, data } = thrown as Error & { readonly code?: unknown; readonly data?: unknown };
  if (typeof code !== 'number') return unreachable(thrown, secrets);
  return new SourceRefusal(failureText(thrown, secrets).slice(0, 2_000), code, withoutSecrets(data, secrets, false));
}

/** The error of a call to a server whose row was changed or deleted. */
export function removed(): GatewayError {
  return new GatewayError('tool_failed', 'This MCP server was just changed or removed. Try again.');
}
