/** A look-up over HTTP. Fails closed: a failed look-up never falls back to the token's own claims. */
import { GatewayError } from '../../types/errors.ts';
import type { Logger } from '../../types/logger.ts';
import type { Claims } from '../claims.ts';
import type { Discovery } from '../discovery.ts';
import type { Condition, HttpLookup, ServiceClient } from '../issuer.ts';
import { invalid } from '../token-checks.ts';
import { claimAt } from '../claim-path.ts';
import { basicAuthorization, type ClientToken } from './client-token.ts';
import type { LookupInput } from './lookup-input.ts';
import { fillTemplates, lookupAddress } from './lookup-request.ts';

const timeoutMs = 5_000;
const maxBytes = 1_000_000;

export interface HttpLookupOptions {
  readonly discovery: Discovery;
  readonly client: ServiceClient | null;
  /** Tokens of that client, shared by the look-ups of an issuer. */
  readonly clientToken: ClientToken | null;
  readonly fetch: typeof fetch;
  readonly logger: Logger;
}

/** The error for callers when the identity service is unavailable. */
export function authUnavailable(cause: unknown): GatewayError {
  return new GatewayError(
    'auth_unavailable',
    'The identity service is unavailable, so your roles cannot be looked up and the call is refused. Try again soon.',
    { retryAfterSeconds: 5, cause },
  );
}

function holds({ path, is }: Condition, answer: unknown): boolean {
  const value = claimAt(answer, path) ?? null;
  return is.some((each) => each === value);
}

/** The text of the response. Throws above the size limit. */
async function textOf(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  if (response.body !== null)
    for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
      length += part.length;
      if (length > maxBytes) throw new Error('the answer is longer than 1 MB');
      parts.push(part);
    }
  return Buffer.concat(parts).toString('utf8');
}

/** RFC 6750 3.1. OpenID Connect's userinfo requires the scope `openid`; some services answer a plain 403 without it. */
function lacksScope(lookup: HttpLookup, response: Response, text: string): boolean {
  const challenge = `${response.headers.get('www-authenticate') ?? ''} ${text.slice(0, 2_000)}`;
  return challenge.includes('insufficient_scope') || (typeof lookup.url !== 'string' && lookup.url.discovered === 'userinfo_endpoint');
}

const scopeOf = (response: Response): string =>
  /scope="([\x21\x23-\x5b\x5d-\x7e ]{1,200})"/.exec(response.headers.get('www-authenticate') ?? '')?.[1] ?? 'openid';

const missingScope = (scope: string): GatewayError =>
  invalid(
    `The identity service refuses the look-up, because this token lacks a scope (403 insufficient_scope). Fetch a token with the scope "${scope}".`,
  );

/** The service refuses the token, or the person whom it was asked about. */
const refusal = ({ asClient }: HttpLookup): GatewayError =>
  invalid(
    asClient === 'token'
      ? 'The identity service does not know this person any more, or disabled the account.'
      : 'The identity service does not accept the token any more. Fetch a new one.',
  );

function readList(result: unknown, { field, each }: NonNullable<HttpLookup['list']>): Claims {
  if (!Array.isArray(result)) throw new Error('the answer is not a list');
  return { [field]: each === null ? result : result.map((entry: unknown) => claimAt(entry, each)).filter((name) => name !== undefined) };
}

function read(lookup: HttpLookup, answer: unknown, input: LookupInput): Claims {
  if (lookup.refused.some((condition) => holds(condition, answer))) throw refusal(lookup);
  const failed = lookup.success.find((condition) => !holds(condition, answer));
  if (failed !== undefined)
    throw new Error(`the answer is not a success: ${failed.path} is ${JSON.stringify(claimAt(answer, failed.path))}`);
  const result = lookup.result === null ? answer : claimAt(answer, lookup.result);
  if (lookup.list !== null) return readList(result, lookup.list);
  if (typeof result !== 'object' || result === null || Array.isArray(result))
    throw new Error(`the answer has no JSON object at ${lookup.result ?? 'its top'}`);
  if (lookup.about !== null && input.subject !== null) {
    const subject = claimAt(result, lookup.about.path);
    const same =
      subject === undefined
        ? lookup.about.optional
        : subject === input.subject || (typeof subject === 'number' && String(subject) === input.subject);
    if (!same) throw new Error(`the answer is about another subject (${lookup.about.path})`);
  }
  return result as Claims;
}

/** Throws `token_invalid` for a token or a person that the service refuses. */
function checkStatus(lookup: HttpLookup, response: Response, text: string): void {
  const asClient = lookup.asClient === 'token';
  if (!asClient && response.status === 403 && lacksScope(lookup, response, text)) throw missingScope(scopeOf(response));
  if (lookup.refusedStatuses.includes(response.status)) throw refusal(lookup);
  if (response.ok) return;
  const hint = asClient && response.status === 403 ? ': the client of this gateway lacks the right to read people there' : '';
  throw new Error(`it answered ${response.status}${hint}`);
}

export function createHttpLookup(
  lookup: HttpLookup,
  { discovery, client, clientToken, fetch, logger }: HttpLookupOptions,
): (input: LookupInput) => Promise<Claims> {
  const tokens = lookup.asClient === 'token' ? clientToken : null;
  const basic = lookup.asClient === 'basic' && client !== null ? basicAuthorization(client) : null;

  const send = (url: URL, input: LookupInput, authorization: string | null): Promise<Response> => {
    const form = fillTemplates(lookup.form, input);
    return fetch(url.href, {
      method: lookup.method,
      headers: {
        accept: 'application/json',
        ...Object.fromEntries(fillTemplates(lookup.headers, input)),
        ...(authorization === null ? {} : { authorization }),
        ...(form.length === 0 ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
      },
      ...(form.length === 0 ? {} : { body: new URLSearchParams(form).toString() }),
      signal: AbortSignal.timeout(timeoutMs),
      redirect: 'error',
    });
  };
  /** A token of Pailou's own client may be revoked before it expires, so one refusal fetches a new one. */
  const sendAsClient = async (url: URL, input: LookupInput, shared: ClientToken): Promise<Response> => {
    const token = await shared.get();
    const response = await send(url, input, `Bearer ${token}`);
    if (response.status !== 401) return response;
    await response.body?.cancel();
    shared.refused(token);
    return send(url, input, `Bearer ${await shared.get()}`);
  };

  return async (input) => {
    let address = typeof lookup.url === 'string' ? lookup.url : lookup.url.discovered;
    try {
      const url = await lookupAddress(lookup, discovery, input);
      address = url.origin + url.pathname;
      const response = await (tokens === null ? send(url, input, basic) : sendAsClient(url, input, tokens));
      const text = await textOf(response);
      checkStatus(lookup, response, text);
      return read(lookup, JSON.parse(text), input);
    } catch (thrown) {
      if (thrown instanceof GatewayError) throw thrown;
      logger.warn({ err: thrown, address }, 'the look-up at the identity service failed; the call is refused');
      throw authUnavailable(thrown);
    }
  };
}
