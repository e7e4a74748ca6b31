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
export function isConnectionLost(error: unknown): boolean {
  return (
    statusOf(error) !== null || error instanceof TypeError || ['CONNECTION_CLOSED', 'NOT_CONNECTED', 'SEND_FAILED'].includes(codeOf(error))
  );
}

/** Anything shorter is part of ordinary words. */
const shortestSecret = 8;
/** Among headers and variables of programs are also regions and names, which good answers are full of; those are shorter. */
const shortestInAnswers = 16;
/** Numbers, words, host names, mail addresses, paths, and addresses without a password: what servers are set up with beside secrets. */
const plain: readonly RegExp[] = [
  /^\d+$/,
  /^[A-Za-z]{1,15}([_./,-][A-Za-z]{1,15})*$/,
  /^[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}(:\d+)?$/,
  /^[\w.+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}$/,
  /^([.~]{0,2}\/|[A-Za-z]:\\)[^=+]*$/,
  /^[a-z][a-z0-9+.-]*:\/\/[^@]*$/,
];
/** Letters and digits in one row, as keys have them: in the path or the query of an address, or behind the slash with which base64 may begin. */
function holdsKey(text: string): boolean {
  const [start = ''] = /^([a-z][a-z0-9+.-]*:\/\/[^/?#]*|[.~]{0,2}(?=\/)|[A-Za-z]:(?=\\))/.exec(text) ?? [];
  if (start === '' && !text.startsWith('/')) return false;
  return (text.slice(start.length).match(/[A-Za-z\d]{16,}/g) ?? []).some((row) => /\d/.test(row) && /[A-Za-z]/.test(row));
}
const isPlain = (text: string): boolean => plain.some((form) => form.test(text)) && !holdsKey(text);

/** No setting that good answers may be full of. */
const isSecret = (text: string): boolean => text.length >= shortestInAnswers && !isPlain(text);

/** What is secret of them: without the scheme, as in `Bearer …`; of cookies and of what connects to a database what is no plain setting. */
const bareOf = (secrets: readonly string[]): readonly string[] =>
  secrets.flatMap((secret) => {
    const words = secret.split(/[\s;]+/).flatMap((word) => [word, word.slice(word.indexOf('=') + 1)]);
    return [secret.slice(secret.lastIndexOf(' ') + 1), ...words.filter(isSecret)];
  });

/** All ways in which those may stand in a text that are no part of ordinary words. */
function spellingsOf(bare: readonly string[]): readonly string[] {
  const long = bare.filter((secret) => secret.length >= shortestSecret);
  return [...new Set(long.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]))];
}

const hide = (text: string, spellings: readonly string[]): string =>
  spellings.reduce((left, spelling) => left.replaceAll(spelling, '[hidden]'), text);

/** What went wrong, in the server's or the SDK's words, without the secrets. */
export function failureText(thrown: unknown, secrets: readonly string[]): string {
  return hide(thrown instanceof Error ? thrown.message : String(thrown), spellingsOf(bareOf(secrets)));
}

/**
 * What a server answered, without the secrets that it was asked with in any of its texts: a careless one says them again. Of a good answer
 * (`isGood`) what may be no secret stays.
 */
export function withoutSecrets<T>(answer: T, secrets: readonly string[], isGood: boolean): T {
  const bare = bareOf(secrets);
  const spellings = spellingsOf(isGood ? bare.filter(isSecret) : bare);
  if (spellings.length === 0) return answer;
  const walk = (part: unknown): unknown => {
    if (typeof part === 'string') return hide(part, spellings);
    if (Array.isArray(part)) return part.map(walk);
    if (typeof part !== 'object' || part === null) return part;
    return Object.fromEntries(Object.entries(part).map(([key, each]) => [key, walk(each)]));
  };
  return walk(answer) as T;
}

export function unreachable(cause: unknown, secrets: readonly string[]): GatewayError {
  if (cause instanceof GatewayError) return cause;
  return new GatewayError('tool_failed', 'The MCP server cannot be reached or does not answer as it should. Tell your administrator.', {
    cause,
    details: failureText(cause, secrets).slice(0, 1_000),
  });
}

/** The server's JSON-RPC error as it may be told to the caller; anything else as it is. */
export function refusal(thrown: unknown, secrets: readonly string[]): unknown {
  if (thrown instanceof GatewayError || !(thrown instanceof Error)) return thrown;
  const { code, data } = thrown as Error & { readonly code?: unknown; readonly data?: unknown };
  if (typeof code !== 'number') return unreachable(thrown, secrets);
  return new SourceRefusal(failureText(thrown, secrets).slice(0, 2_000), code, withoutSecrets(data, secrets, false));
}

/** Why nothing more can be asked of a server whose row changed or went. */
export function removed(): GatewayError {
  return new GatewayError('tool_failed', 'This MCP server was just changed or removed. Try again.');
}
