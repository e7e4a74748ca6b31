/** The request context beyond HTTP, set before any handler runs. */
import type { PermissionCode, Principal } from '../types/access.ts';
import type { ResourceKind } from '../types/resources.ts';
import type { RawRequest } from '../types/chat.ts';
import type { HeldSnapshot } from '../types/snapshot.ts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { GatewayError } from '../types/errors.ts';
import type { CorsOrigins } from './cross-origin.ts';
import type { ActiveRequest, ActiveRequests } from './active-requests.ts';

/**
 * The access that a route requires. A route without a declaration stops the start. `public`: no token. `signed-in`: any valid token.
 * `administrator`: the admin role. A list: any one of these codes.
 */
export type RouteAccess = 'public' | 'signed-in' | 'administrator' | readonly PermissionCode[];

declare module 'fastify' {
  interface FastifyRequest {
    /** Null on public routes only. */
    principal: Principal | null;
    /** The administrator who sees the gateway as `principal`; null for everyone else. */
    viewer: Principal | null;
    /** One snapshot for the whole request; released when the connection is done with it. Null after the transfer to a background run. */
    held: HeldSnapshot | null;
    /** Set for a long request once its caller is known. */
    activeRequest: ActiveRequest | null;
    /** The bytes from which `body` was parsed. */
    jsonSource: RawRequest | null;
  }
  interface FastifyInstance {
    activeRequests: ActiveRequests;
    /** Milliseconds without a byte read after which a stalled client is closed. */
    unreadMs: number;
    /** Milliseconds of silence after which a stream gets a keep-alive comment. */
    pingMs: number;
    /** The public address of the gateway without a trailing slash. */
    publicUrl: string;
    /** The path of that address; empty for none. Redirects begin with it. */
    pathPrefix: string;
    corsOrigins: CorsOrigins;
    /** Writes a refusal to the audit, the metrics and the access log, as far as each takes it. For an error that is not thrown to the web framework. */
    noteRefusal: (request: FastifyRequest, reply: FastifyReply, error: GatewayError) => void;
  }
  interface FastifyContextConfig {
    access?: RouteAccess;
    /** The kinds of configuration rows that the route writes. Every route except GET declares it, or the start fails. */
    writes?: readonly ResourceKind[] | 'none';
    /** True when an API key may call the route. */
    keys?: boolean;
    /** The handler decides about the named row with all rules. A missing row is then reported as missing, even to callers without the code. */
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

/** Hands the snapshot over to work that outlives the response. The receiver releases it. */
export function takeHeldSnapshot(request: FastifyRequest): HeldSnapshot | null {
  const { held } = request;
  request.held = null;
  return held;
}

/** True for clients of Anthropic's format, which send its version. Some addresses serve both formats. */
export function speaksMessages(request: FastifyRequest): boolean {
  return request.headers['anthropic-version'] !== undefined;
}
