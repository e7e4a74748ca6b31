/** What the gate knows about a request beyond HTTP; set before any handler runs. */
import type { PermissionCode, Principal } from '../types/access.ts';
import type { ResourceKind } from '../types/resources.ts';
import type { JsonOutline } from '../types/chat.ts';
import type { HeldSnapshot } from '../types/snapshot.ts';
import type { FastifyRequest } from 'fastify';
import type { ActiveRequest, ActiveRequests } from './active-requests.ts';

/**
 * What a route asks of its caller. Each route declares it; a route without one stops the start.
 * `public`: no token. `signed-in`: any valid token. `administrator`: the admin role. A list: any one of these codes.
 */
export type RouteAccess = 'public' | 'signed-in' | 'administrator' | readonly PermissionCode[];

declare module 'fastify' {
  interface FastifyRequest {
    /** Null only on public routes. */
    principal: Principal | null;
    /** One snapshot from the first line to the last; released when the connection is done with this request. */
    held: HeldSnapshot | null;
    /** Of a call that may take long, once its caller is known. */
    activeRequest: ActiveRequest | null;
    /** The bytes that `body` was parsed from. */
    jsonSource: { readonly bytes: Buffer; readonly outline: JsonOutline } | null;
  }
  interface FastifyInstance {
    activeRequests: ActiveRequests;
    /** How many milliseconds bytes may wait for a caller who takes none. */
    unreadMs: number;
    /** Where clients find this gateway, without a slash at the end. */
    publicUrl: string;
  }
  interface FastifyContextConfig {
    access?: RouteAccess;
    /** The kinds of configuration rows that the route writes. Each route that is no GET declares it; one without stops the start. */
    writes?: readonly ResourceKind[] | 'none';
    /** Whether a key opens this route. */
    keys?: boolean;
    /**
     * The handler decides about the very thing that the request names, with all rules, before it does anything. Then what
     * is not there is said to be not there, also to those who lack the code.
     */
    decides?: boolean;
  }
}

/** The caller of a route that is not public. */
export function principalOf(request: FastifyRequest): Principal {
  if (request.principal === null) throw new Error(`route ${request.routeOptions.url} reads the principal but is public`);
  return request.principal;
}

export function snapshotOf(request: FastifyRequest): HeldSnapshot['snapshot'] {
  if (request.held === null) throw new Error('the snapshot is read before the request was admitted');
  return request.held.snapshot;
}

/** True for clients of Anthropic's format, which name its version with each request; some addresses belong to both formats. */
export function speaksMessages(request: FastifyRequest): boolean {
  return request.headers['anthropic-version'] !== undefined;
}
