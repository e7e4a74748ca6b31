/**
 * The protocol's Skills extension (SEP-2640): the caller's skills, each with its front matter and a digest of every file. The SDK's own
 * handler serves one catalogue to all clients of an McpServer; here each request has its own.
 */
import type * as Sdk from '@modelcontextprotocol/server';
import { z } from 'zod';
import { GatewayError } from '../../../types/errors.ts';
import type { ViewSkills, McpView } from './mcp-view.ts';

/** The capability that the server declares where there are skills. */
export const skillsCapability = { 'io.modelcontextprotocol/skills': { directoryRead: true } };

const pageSize = 100;
const cursorPrefix = 'after:';
const listing = z.looseObject({ cursor: z.string().optional() });
const place = z.looseObject({ uri: z.string() });

interface Page<T> {
  readonly items: readonly T[];
  readonly next: { readonly nextCursor?: string };
}

const byUri = (one: { readonly uri: string }, other: { readonly uri: string }): number =>
  one.uri < other.uri ? -1 : Number(one.uri > other.uri);

/** A page of the list. The cursor names the last URI of the page before, so that insertions and deletions do not shift pages. Null for an invalid cursor. */
export function onePage<T extends { readonly uri: string }>(all: readonly T[], cursor: string | undefined): Page<T> | null {
  const after = cursor === undefined ? cursorPrefix : Buffer.from(cursor, 'base64url').toString('utf8');
  if (!after.startsWith(cursorPrefix)) return null;
  const rest = all.toSorted(byUri).filter(({ uri }) => uri > after.slice(cursorPrefix.length));
  const items = rest.slice(0, pageSize);
  const last = items.at(-1);
  const isLast = rest.length === items.length || last === undefined;
  return { items, next: isLast ? {} : { nextCursor: Buffer.from(`${cursorPrefix}${last.uri}`).toString('base64url') } };
}

/** Cache fields, which only the stateless protocol has. They forbid caching, because permissions may change at any time. */
const cacheFields = ({ mcpReq }: Sdk.ServerContext): object => (mcpReq.envelope === undefined ? {} : { ttlMs: 0, cacheScope: 'private' });

export function addSkills(sdk: typeof Sdk, server: Sdk.Server, enter: (context: Sdk.ServerContext) => McpView): void {
  /** The skills of this request's view. */
  const skillsOf = (context: Sdk.ServerContext): ViewSkills => {
    const { skills } = enter(context);
    if (skills === undefined) throw new GatewayError('internal_error', 'A skills request reached an address without skills.');
    return skills;
  };
  const refuse = (sentence: string): Sdk.ProtocolError => new sdk.ProtocolError(sdk.ProtocolErrorCode.InvalidParams, sentence);
  const unknown = (sort: string, uri: string): Sdk.ProtocolError => refuse(`There is no ${sort} ${uri.slice(0, 200)} for you here.`);
  const paged = <T extends { readonly uri: string }>(all: readonly T[], cursor: string | undefined): Page<T> => {
    const found = onePage(all, cursor);
    if (found === null) throw refuse('The cursor is none that was given here; begin without one.');
    return found;
  };

  server.setRequestHandler('skills/list', { params: listing }, async ({ cursor }, context) => {
    const { items, next } = paged(await skillsOf(context).list(), cursor);
    return { skills: items, ...next, ...cacheFields(context) };
  });
  server.setRequestHandler('skills/get', { params: place }, async ({ uri }, context) => {
    const skill = await skillsOf(context).get(uri);
    if (skill === null) throw unknown('skill', uri);
    return { skill, ...cacheFields(context) };
  });
  server.setRequestHandler('resources/directory/read', { params: listing.extend(place.shape) }, async ({ uri, cursor }, context) => {
    const children = await skillsOf(context).children(uri);
    if (children === null) throw unknown('directory', uri);
    const { items, next } = paged(children, cursor);
    return { resources: items, ...next, ...cacheFields(context) };
  });
}
