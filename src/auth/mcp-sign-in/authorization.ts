/** The code flow with PKCE for MCP clients (OAuth 2.1). Tickets and codes are sealed texts, so that every node can read them. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { entryLimit } from '../../types/entry-limit.ts';
import { zodSentence } from '../../schema/zod-errors.ts';
import type { SecretBox } from '../../storage/secret-box.ts';
import { isRegisteredRedirect, type McpClient } from './client-metadata.ts';
import { OauthError } from './oauth-error.ts';

/** What a client asks for. Its redirect address was compared with those that it registered. */
export interface Asked {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly challenge: string;
  readonly state: string | null;
}

/** A page of consent, bound to the browser session that saw it. */
interface Ticket extends Asked {
  readonly session: string;
  readonly until: number;
}

interface Code extends Asked {
  readonly token: string;
  readonly expiresAt: number;
  readonly until: number;
}

export interface McpAuthorization {
  /** The part of the request by which an error may go back to the client: throws OauthError, for the page, while it cannot. */
  redirectOf(query: unknown, client: McpClient): { readonly redirectUri: string; readonly state: string | null };
  /** Throws OauthError for the client. */
  read(query: unknown, client: McpClient): Asked;
  ticket(asked: Asked, session: string): string;
  /** Throws OauthError unless the ticket belongs to the session and is not too old. */
  openTicket(text: string, session: string): Asked;
  code(asked: Asked, token: string, expiresAt: number): string;
  /** Redeems a code for its token. A node redeems each code once. Throws OauthError. */
  redeem(form: unknown): { readonly token: string; readonly expiresAt: number };
}

const ticketMs = 600_000;
const codeMs = 60_000;
const text = z.string().min(1).max(2_000);

const redirectQuery = z.looseObject({ redirect_uri: text.optional(), state: z.string().max(2_000).optional() });
const challengeNeeded = 'is needed: the SHA-256 of the code_verifier in base64url';
const query = z.looseObject({
  response_type: text,
  code_challenge: z.string(challengeNeeded).regex(/^[A-Za-z0-9_-]{43}$/, challengeNeeded),
  code_challenge_method: z.literal('S256', 'must be S256'),
  resource: z.union([text, z.array(text).max(10)]).optional(),
});
const form = z.looseObject({
  grant_type: text,
  code: z.string().min(1).max(10_000),
  client_id: text,
  redirect_uri: text,
  code_verifier: z.string().regex(/^[A-Za-z0-9._~-]{43,128}$/, 'must have 43 to 128 characters'),
  resource: z.union([text, z.array(text).max(10)]).optional(),
});

function parsed<T>(schema: z.ZodType<T>, given: unknown): T {
  const read = schema.safeParse(given);
  if (read.success) return read.data;
  throw new OauthError('invalid_request', zodSentence(read.error).sentence);
}

const digest = (secret: string): string => createHash('sha256').update(secret).digest('base64url');
const same = (one: string, other: string): boolean => one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));

export function createMcpAuthorization({ box, publicUrl }: { readonly box: SecretBox; readonly publicUrl: string }): McpAuthorization {
  const taken = new LRUCache<string, true>({ ...entryLimit(10_000), ttl: codeMs });

  /** Tokens are for the MCP addresses of this gateway alone (RFC 8707). */
  const requireTarget = (resource: string | string[] | undefined): void => {
    const base = `${publicUrl}/mcp`;
    const foreign = [resource ?? []]
      .flat()
      .find((each) => each !== base && !each.startsWith(`${base}/`) && each !== publicUrl && each !== `${publicUrl}/`);
    if (foreign !== undefined) throw new OauthError('invalid_target', `resource: tokens of this gateway are for ${base} alone.`);
  };
  const sealed = (what: string, value: object): string => box.seal(JSON.stringify(value), what).$sealed;
  const opened = <T extends { readonly until: number }>(what: string, given: string): T | null => {
    try {
      const value = JSON.parse(box.open({ $sealed: given }, what)) as T;
      return Date.now() < value.until ? value : null;
    } catch {
      return null;
    }
  };

  const redirectOf = (given: unknown, { redirectUris }: McpClient): { redirectUri: string; state: string | null } => {
    const { redirect_uri: wanted, state = null } = parsed(redirectQuery, given);
    const [only] = redirectUris;
    const redirectUri = wanted ?? (redirectUris.length === 1 ? only : undefined);
    if (redirectUri === undefined || !isRegisteredRedirect(redirectUri, redirectUris))
      throw new OauthError('invalid_request', 'redirect_uri: is not one of the addresses that the client registered, letter by letter.');
    return { redirectUri, state };
  };

  return {
    redirectOf,

    read(given, client) {
      const { redirectUri, state } = redirectOf(given, client);
      const { response_type: type, code_challenge: challenge, resource } = parsed(query, given);
      if (type !== 'code') throw new OauthError('unsupported_response_type', 'response_type: only code is served.');
      requireTarget(resource);
      return { clientId: client.id, redirectUri, challenge, state };
    },

    ticket: (asked, session) => sealed('mcp consent', { ...asked, session, until: Date.now() + ticketMs } satisfies Ticket),

    openTicket(given, session) {
      const ticket = opened<Ticket>('mcp consent', given);
      if (ticket === null || !same(ticket.session, session))
        throw new OauthError('invalid_request', 'This page is too old, or was shown to another session. Start again in your MCP client.');
      const { clientId, redirectUri, challenge, state } = ticket;
      return { clientId, redirectUri, challenge, state };
    },

    code: (asked, token, expiresAt) => sealed('mcp code', { ...asked, token, expiresAt, until: Date.now() + codeMs } satisfies Code),

    redeem(given) {
      const type = (given as { readonly grant_type?: unknown } | null)?.grant_type;
      if (type !== 'authorization_code') throw new OauthError('unsupported_grant_type', 'grant_type: only authorization_code is served.');
      const { code: codeText, client_id: clientId, redirect_uri: redirectUri, code_verifier: verifier, resource } = parsed(form, given);
      requireTarget(resource);
      const code = opened<Code>('mcp code', codeText);
      const refused = new OauthError('invalid_grant', 'code: it is unknown, used, too old, or of another client. Start again.');
      if (code === null) throw refused;
      // The same code can be spelled in several ways, so that its text does not identify it.
      const id = digest(code.token);
      if (taken.has(id)) throw refused;
      taken.set(id, true);
      if (code.clientId !== clientId || code.redirectUri !== redirectUri || !same(digest(verifier), code.challenge)) throw refused;
      return { token: code.token, expiresAt: code.expiresAt };
    },
  };
}
