/** The caller of one HTTP request, for the layer without HTTP. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Caller } from '../application/caller.ts';
import { createRequiredPermissions } from '../application/required-permissions.ts';
import { bearerToken } from '../auth/token-checks.ts';
import { Cancellation } from '../scheduling/cancellation.ts';
import { GatewayError } from '../types/errors.ts';
import { principalOf, snapshotOf } from './request-context.ts';

/** Its `signal` is aborted when the client closes the connection before the answer is complete. */
export function callerOf(request: FastifyRequest, reply: FastifyReply): Caller {
  const principal = principalOf(request);
  const snapshot = snapshotOf(request);
  const cancellation = new Cancellation();
  const needs = createRequiredPermissions();
  request.activeRequest = { request, needs, end: (why) => cancellation.abort(why) };
  const leave = (): void => {
    if (!reply.raw.writableFinished) cancellation.abort(new GatewayError('client_closed_request', 'The caller left.'));
  };
  // The authentication may have taken longer than the client stayed.
  if (reply.raw.closed) leave();
  else reply.raw.on('close', leave);
  return {
    principal,
    requestId: request.id,
    revision: snapshot.revision,
    traceparent: request.headers['traceparent'] as string | undefined,
    view: snapshot.tenant(principal.tenant),
    grants: () => request.server.activeRequests.grantsOf(principal.tenant),
    signal: cancellation,
    cacheControl: request.headers['cache-control'],
    needs,
    subjectToken: () => (principal.credential === 'token' ? (bearerToken(request.headers.authorization ?? '') ?? null) : null),
    setHeaders(headers) {
      if (!reply.raw.headersSent) reply.headers(headers);
    },
  };
}
