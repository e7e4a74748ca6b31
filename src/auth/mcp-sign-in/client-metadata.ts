/** What an MCP client says of itself: its name and its exact redirect addresses. Public clients alone: they have no secret. */
import { z } from 'zod';
import { zodSentence } from '../../schema/zod-errors.ts';
import { printableLine } from '../../types/printable-text.ts';
import { OauthError } from './oauth-error.ts';

export interface McpClient {
  readonly id: string;
  /** The client's own name for itself, unchecked. */
  readonly name: string;
  readonly redirectUris: readonly string[];
}

const mostUris = 10;
const longestUri = 500;

const metadata = z.looseObject({
  client_name: z.string().max(200).optional(),
  redirect_uris: z.array(z.string().min(1).max(longestUri)).min(1).max(mostUris),
  grant_types: z.array(z.string()).optional(),
  response_types: z.array(z.string()).optional(),
});

const loopback = new Set(['localhost', '127.0.0.1', '[::1]']);
/** Schemes that browsers act on themselves, or that are no application's own. */
const forbidden = /^(javascript|data|vbscript|file|blob|filesystem|about|view-source|wss?|ftp):$/;

/** https anywhere, http on the person's own machine, or an application's own scheme (RFC 8252 7). */
function isGoodRedirect(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || text.includes('#') || /[\s"<>\\]/.test(text) || url.username !== '' || url.password !== '') return false;
  if (url.protocol === 'https:') return true;
  if (url.protocol === 'http:') return loopback.has(url.hostname);
  return !forbidden.test(url.protocol) && /^[a-z][a-z0-9+.-]{1,60}:$/.test(url.protocol);
}

const portless = /^(http:\/\/(?:localhost|127\.0\.0\.1|\[::1\]))(\/.*)?$/;

/**
 * Compares letter by letter. A loopback address that was registered without a port stands for each port, because a program listens at
 * whichever one is free (RFC 8252, 7.3).
 */
export function isRegisteredRedirect(wanted: string, registered: readonly string[]): boolean {
  return registered.some((uri) => {
    if (uri === wanted) return true;
    const [, origin, rest = ''] = portless.exec(uri) ?? [];
    if (origin === undefined || !wanted.startsWith(`${origin}:`)) return false;
    const [, port, path] = /^(\d{1,5})(.*)$/.exec(wanted.slice(origin.length + 1)) ?? [];
    return Number(port) > 0 && Number(port) <= 65_535 && path === rest;
  });
}

/** Throws `invalid_client_metadata` or `invalid_redirect_uri`. */
export function readClientMetadata(given: unknown, id: string): McpClient {
  const read = metadata.safeParse(given);
  if (!read.success) {
    const { param, sentence } = zodSentence(read.error);
    throw new OauthError(param.startsWith('redirect_uris') ? 'invalid_redirect_uri' : 'invalid_client_metadata', sentence);
  }
  const { client_name: name = '', redirect_uris: redirectUris, grant_types: grants, response_types: responses } = read.data;
  const bad = redirectUris.find((uri) => !isGoodRedirect(uri));
  if (bad !== undefined)
    throw new OauthError(
      'invalid_redirect_uri',
      `redirect_uris: "${bad.slice(0, 200)}" is not accepted. Use https, http on localhost, or the application's own scheme, without a fragment.`,
    );
  if (grants !== undefined && !grants.includes('authorization_code'))
    throw new OauthError('invalid_client_metadata', 'grant_types: only authorization_code is served.');
  if (responses !== undefined && !responses.includes('code'))
    throw new OauthError('invalid_client_metadata', 'response_types: only code is served.');
  return { id, name: printableLine(name).trim(), redirectUris };
}
